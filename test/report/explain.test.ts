import { describe, expect, it } from 'vitest';
import type { FindingSpec } from '../../src/engine/finding.ts';
import { renderCodeIndex, renderCodePage } from '../../src/report/code-page.ts';
import { renderChecks, renderExplain } from '../../src/report/explain.ts';
import { screen } from './screen.ts';

const spec: FindingSpec = {
  code: 'OSD-AGENT-003',
  severity: 'error',
  title: 'An agent cannot reach RabbitMQ',
  meaning:
    'The agent runs, but its messages do not arrive: Neutron thinks it dead and sends it nothing. Ports that exist keep working; changes to them never arrive.',
  evidence:
    'systemd says active, the API says not alive, and the log of the agent repeats that the broker cannot be reached.\n\nA stopped agent looks the same in the API; systemd tells them apart.',
  mend: 'Find what lies between the host and the broker: firewall, route, name, or the broker itself when all hosts are cut off.',
  explains: [
    { code: 'OSD-SG-004', over: ['host', 'port'] },
    { code: 'OSD-PING-*', over: ['host'] },
    { code: 'OSD-CLOUD-001', over: ['run'] },
  ],
  refs: ['https://docs.openstack.org/neutron/latest/admin/'],
  nature: 'cause',
};
const titles = (code: string) => (code === 'OSD-SG-004' ? 'A rule is missing on the host' : undefined);
const checks = [
  { id: 'agent.alive', title: 'the agents are alive', findings: [spec] },
  { id: 'agent.versions', title: 'the agents speak the version of the server', findings: [] },
  {
    id: 'port.binding',
    title: 'the port is bound to a host',
    findings: [{ ...spec, code: 'OSD-PORT-002', title: 'The port is not bound' }],
  },
];

describe('explain', () => {
  it('tells what a code means, how it is told and mended, what it explains', async () => {
    const text = renderExplain(spec, screen(), titles);
    await expect(text).toMatchFileSnapshot('golden/explain.txt');
    expect(text.split('\n').every((line) => line.length <= 80)).toBe(true);
  });

  it('leaves out what there is none of', () => {
    const text = renderExplain({ ...spec, explains: [], refs: [] }, screen());
    expect(text).not.toContain('What it explains');
    expect(text).not.toContain('Read on');
  });
});

describe('the list of checks', () => {
  it('stands by area, and shows the codes with -v', async () => {
    await expect(renderChecks(checks, screen())).toMatchFileSnapshot('golden/checks.txt');
    expect(renderChecks(checks, screen())).not.toContain('OSD-PORT-002');
    expect(renderChecks(checks, screen({ verbosity: 1 }))).toContain('OSD-PORT-002 The port is not bound');
  });
});

describe('the page of a code', () => {
  it('says the same as explain', async () => {
    await expect(renderCodePage(spec, titles)).toMatchFileSnapshot('golden/code-page.md');
  });

  it('is linked from the index', () => {
    expect(renderCodeIndex([spec])).toContain(
      '| [OSD-AGENT-003](OSD-AGENT-003.md) | error | cause | An agent cannot reach RabbitMQ |',
    );
  });
});
