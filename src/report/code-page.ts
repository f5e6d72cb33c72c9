import type { FindingSpec } from '../engine/finding.ts';
import { edgeWords, type TitleOf } from './explain.ts';

/** The text of docs/codes/CODE.md. Specs are our own words, so nothing needs to be made safe. */
export function renderCodePage(spec: FindingSpec, titleOf: TitleOf = () => undefined): string {
  const sections = [
    `# ${spec.code}: ${spec.title}`,
    `Severity: ${spec.severity}. Nature: ${spec.nature === 'cause' ? 'a cause: something broken that somebody can mend' : 'a symptom: named as a cause only when nothing explains it'}.`,
    `## What it means\n\n${spec.meaning}`,
    `## How it is told\n\n${spec.evidence}`,
    `## How it is mended\n\n${spec.mend}`,
    ...(spec.explains.length === 0
      ? []
      : [`## What it explains\n\n${items(spec.explains.map((e) => edgeWords(e, titleOf)))}`]),
    ...(spec.refs.length === 0 ? [] : [`## Read on\n\n${items(spec.refs)}`]),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The text of docs/codes/README.md: every code with its title. */
export function renderCodeIndex(specs: readonly FindingSpec[]): string {
  const rows = specs.map(
    (s) => `| [${s.code}](${s.code}.md) | ${s.severity} | ${s.nature} | ${s.title.replaceAll('|', '\\|')} |`,
  );
  return ['# Codes', '', '| code | severity | nature | title |', '|---|---|---|---|', ...rows, ''].join('\n');
}

const items = (texts: readonly string[]): string => texts.map((text) => `- ${text}`).join('\n');
