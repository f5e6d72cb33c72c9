import type { Evidence } from '../engine/evidence.ts';
import { observed } from '../engine/fact.ts';
import { err } from '../engine/result.ts';
import { parseArping } from '../nodes/parse/arping.ts';
import { sameAddress, sameMac } from '../path/addresses.ts';
import { run, type Store, showing, source } from './io.ts';
import { nsLinks } from './namespace.ts';
import { type PingRun, pingsOfFloating, pingsOfGateway } from './ping.ts';
import { type RouterOnHost, routersOnHosts } from './router.ts';
import type { PortSubject } from './subject.ts';

/** Who answers ARP for an address, asked from a router's outside interface. */
export interface ArpAnswer {
  readonly run: PingRun;
  readonly host: string;
  readonly device: string;
  /** MAC addresses that answered, without the asking device's own. */
  readonly macs: readonly string[];
  readonly evidence: Evidence;
}

/** The outside device of a router: the one that has its external address. */
const outsideOf = (router: RouterOnHost): string | undefined => {
  const external = router.serving.router.external_gateway_info?.external_fixed_ips?.map((f) => f.ip_address) ?? [];
  const held = router.addresses?.ok === true ? router.addresses.value.value : [];
  return held.find((a) => external.some((e) => sameAddress(e, a.address)))?.dev;
};

async function whoHas(facts: Store, router: RouterOnHost, ping: PingRun, more: readonly string[]) {
  const device = outsideOf(router);
  const { host, netns } = router;
  if (device === undefined || host === undefined) return undefined;
  const ran = await run(facts, host, {
    argv: ['arping', ...more, '-c', '2', '-w', '2', '-I', device, ping.to],
    impact: 'probe',
    netns,
    parallel: true,
    timeoutSeconds: 6,
  });
  if (!ran.ok) return undefined;
  const parsed = parseArping(ran.value.result.stdout);
  if (!parsed.ok) return undefined;
  const links = await facts.get(nsLinks, { host, name: netns });
  const own = links.ok ? links.value.value.find((l) => l.name === device)?.mac : undefined;
  const macs = parsed.value.macs.filter((mac) => own === undefined || !sameMac(mac, own));
  const lines = ran.value.result.stdout.split('\n').filter((l) => /reply|Received|received/.test(l));
  return {
    run: ping,
    host,
    device,
    macs,
    evidence: showing(ran.value.evidence, lines.slice(0, 4)),
  } satisfies ArpAnswer;
}

async function ask(
  facts: Store,
  subject: PortSubject,
  silent: readonly PingRun[],
  more: readonly string[],
): Promise<readonly ArpAnswer[]> {
  const routers = await facts.get(routersOnHosts, subject);
  if (!routers.ok) return [];
  const found = await Promise.all(
    silent.map((ping) => {
      const router = routers.value.value.find((r) => r.serving.router.id === ping.routerId);
      return router === undefined ? undefined : whoHas(facts, router, ping, more);
    }),
  );
  return found.filter((answer) => answer !== undefined);
}

/** Who answers ARP for the external gateways that answered no ping: many answer no ping by design. */
export const gatewayArp = source<PortSubject, readonly ArpAnswer[]>(
  'port.gateway-arp',
  (subject) => subject.id,
  async (subject, facts) => {
    const pings = await facts.get(pingsOfGateway, subject);
    if (!pings.ok) return pings;
    const silent = pings.value.value.runs.filter((r) => r.ping.received === 0);
    if (silent.length === 0) return err({ kind: 'unsupported', because: 'every gateway answers' });
    const answers = await ask(facts, subject, silent, []);
    return observed(answers, ...answers.map((a) => a.evidence));
  },
);

/** Who else answers ARP for the floating addresses that do not answer (arping(8) -D asks without an address of its own). */
export const floatingClaims = source<PortSubject, readonly ArpAnswer[]>(
  'port.floating-claims',
  (subject) => subject.id,
  async (subject, facts) => {
    const pings = await facts.get(pingsOfFloating, subject);
    if (!pings.ok) return pings;
    const silent = pings.value.value.runs.filter((r) => r.what === 'floating-ip' && r.ping.received < r.ping.sent);
    if (silent.length === 0) return err({ kind: 'unsupported', because: 'every floating address answers' });
    const answers = await ask(facts, subject, silent, ['-D']);
    return observed(answers, ...answers.map((a) => a.evidence));
  },
);
