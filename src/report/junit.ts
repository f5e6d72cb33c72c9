import type { Evidence } from '../engine/evidence.ts';
import type { CheckReport, RunReport, StepReport } from '../engine/report.ts';
import { unreachable } from '../engine/result.ts';
import { quoteArgv } from '../nodes/quote.ts';
import { safeText } from '../ui/safe-text.ts';
import { confidenceWords, failureWords } from './words.ts';

/** JUnit XML: a suite per step, a case per check; a problem is a failure, what could not be looked at is an error. */
export function renderJunit(report: RunReport): string {
  const { counts } = report;
  const total = counts.ok + counts.problem + counts.skipped + counts.blocked + counts.unknown;
  const head = attributes({
    name: `ostk-doctor ${report.command}`,
    tests: total,
    failures: counts.problem,
    errors: counts.blocked + counts.unknown,
    skipped: counts.skipped,
    time: (report.elapsedMs / 1000).toFixed(3),
    timestamp: report.startedAt,
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${head}>\n${report.steps.map(suite).join('')}</testsuites>\n`;
}

function suite(step: StepReport): string {
  const count = (...statuses: readonly string[]): number =>
    step.checks.filter((check) => statuses.includes(check.outcome.status)).length;
  const head = attributes({
    name: step.id,
    tests: step.checks.length,
    failures: count('problem'),
    errors: count('blocked', 'unknown'),
    skipped: count('skipped'),
  });
  return `  <testsuite${head}>\n${step.checks.map(testCase).join('')}  </testsuite>\n`;
}

function testCase(check: CheckReport): string {
  const inside = outcomeElements(check);
  const head = attributes({ classname: check.id, name: `${check.title} (${check.subject})` });
  return inside === '' ? `    <testcase${head}/>\n` : `    <testcase${head}>\n${inside}    </testcase>\n`;
}

function outcomeElements({ outcome }: CheckReport): string {
  switch (outcome.status) {
    case 'ok':
      return '';
    case 'skipped':
      return element('skipped', { message: outcome.reason });
    case 'unknown':
      return element('error', { type: 'bug', message: outcome.error.split('\n')[0] ?? '' }, outcome.error);
    case 'blocked':
      return outcome.failures
        .map((failure) => {
          const { why, grant } = failureWords(failure);
          return element('error', { type: failure.kind, message: why }, grant ?? '');
        })
        .join('');
    case 'problem':
      return outcome.findings
        .map((f) =>
          element(
            'failure',
            {
              type: f.code,
              message: `${f.summary.replace(/\.$/, '')} (${f.nature === 'cause' ? confidenceWords(f) : 'symptom'})`,
            },
            f.evidence.map((e) => [sourceWords(e), e.excerpt].join('\n')).join('\n'),
          ),
        )
        .join('');
    default:
      return unreachable(outcome);
  }
}

/** Where it was seen, as it can be asked again. */
const sourceWords = ({ source }: Evidence): string =>
  source.kind === 'api'
    ? `${source.service} ${source.method} ${source.path}`
    : source.kind === 'command'
      ? `${source.host} ${quoteArgv(source.argv)}`
      : source.from;

const element = (name: string, attrs: Readonly<Record<string, string>>, text = ''): string =>
  text === ''
    ? `      <${name}${attributes(attrs)}/>\n`
    : `      <${name}${attributes(attrs)}>${escapeXml(text)}</${name}>\n`;

const attributes = (attrs: Readonly<Record<string, string | number>>): string =>
  Object.entries(attrs)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('');

// safeText also drops the control characters that XML 1.0 cannot hold; the two non-characters are the rest of them.
const escapeXml = (text: string): string =>
  safeText(text)
    .replace(/[\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
