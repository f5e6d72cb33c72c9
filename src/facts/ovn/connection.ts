import type { Evidence } from '../../engine/evidence.ts';
import { observed } from '../../engine/fact.ts';
import { err, ok } from '../../engine/result.ts';
import { parseVlog, type VlogLine } from '../../nodes/parse/ovn-appctl.ts';
import { parseAddress } from '../../path/addresses.ts';
import type { Stranger } from '../../path/firewall/strangers/stranger.ts';
import { strangersOf } from '../../path/firewall/strangers.ts';
import { remotesOf } from '../../path/ovn/connection.ts';
import { hostIp6tables, hostIptables, hostLayout, hostNft } from '../host.ts';
import { read, type Store, source } from '../io.ts';
import { theCloud } from '../subject.ts';
import { chassisView } from './chassis.ts';
import { ovnDatabases, tlsOfChassis } from './databases.ts';
import { registeredChassis } from './south.ts';

/** Why an ovn-controller is not connected, or does not take the changes it sees. */
export interface Trouble {
  /** Newest lines of its log that speak of it, oldest first. */
  readonly lines: readonly VlogLine[];
  readonly log: Evidence | undefined;
  /** Of a chassis that shows one: the file, and until when it is good (ms since the epoch). */
  readonly certificate?: { readonly file: string; readonly until: number; readonly evidence: Evidence };
  /** Rules that nobody of OpenStack made, on the host or where the database is, and that take packets between the two. */
  readonly strangers: readonly { readonly host: string; readonly stranger: Stranger; readonly evidence: Evidence }[];
}

const newestLines = 'for f in "$@"; do [ -r "$f" ] && tail -c 65536 -- "$f" | tail -n 200; done; true';

/** Modules that speak of connections and of versions (lib/reconnect.c, lib/stream-ssl.c, lib/ovsdb-cs.c, controller/ovn-controller.c). */
const speakers = /^(?:reconnect|stream_ssl|stream|ovsdb_cs|ovsdb_idl|jsonrpc|main|chassis|encaps|binding)$/;

/** Asked only of a host whose ovn-controller is not connected, or does not answer what is new. */
export const controllerTrouble = source<string, Trouble>(
  'ovn.controller-trouble',
  (host) => host,
  async (host, facts) => {
    const [view, registered] = await Promise.all([
      facts.get(chassisView, host),
      facts.get(registeredChassis, theCloud),
    ]);
    if (!view.ok) return view;
    const { connection, remote, systemId } = view.value.value;
    const row = registered.ok ? registered.value.value.chassis.find((c) => c.name === systemId) : undefined;
    const current = row !== undefined && registered.ok && (row.nbCfg ?? 0) >= registered.value.value.nbCfg;
    if (connection === 'connected' && current)
      return err({ kind: 'unsupported', because: 'ovn-controller is connected' });
    const [layout, databases] = await Promise.all([facts.get(hostLayout, host), facts.get(ovnDatabases, theCloud)]);
    if (!layout.ok) return layout;
    const place = layout.value.value.logPlace('ovn-controller');
    const log =
      place.kind === 'files'
        ? await read(
            facts,
            host,
            { argv: ['sh', '-c', newestLines, 'sh', ...place.paths], impact: 'read', become: true },
            (stdout) => ok(parseVlog(stdout)),
          )
        : undefined;
    const sb = databases.ok ? databases.value.value.sb : databases;
    // Reached by its own socket: then this is a host where the database is.
    const far = sb.ok && sb.value.options.length === 0 && sb.value.host !== host ? sb.value.host : undefined;
    const found = await Promise.all([
      takersOn(facts, host, remote ?? '', 'client'),
      far === undefined ? [] : takersOn(facts, far, remote ?? '', 'server'),
    ]);
    const strangers = found.flat();
    const certificate = (remote ?? '').includes('ssl:') ? await certificateOf(facts, host) : undefined;
    const evidence = log?.ok === true ? log.value.evidence : [];
    return observed(
      {
        lines: log?.ok === true ? log.value.value.filter((l) => speakers.test(l.module)).slice(-20) : [],
        log: evidence[0],
        strangers,
        ...(certificate === undefined ? {} : { certificate }),
      },
      ...evidence,
    );
  },
);

/** `notAfter=Nov 21 16:00:00 2026 GMT` (openssl-x509(1), -enddate). */
async function certificateOf(facts: Store, host: string): Promise<Trouble['certificate']> {
  const tls = await tlsOfChassis(facts, host);
  if (tls === undefined) return undefined;
  const found = await read(
    facts,
    host,
    { argv: ['openssl', 'x509', '-noout', '-enddate', '-in', tls.certificate], impact: 'read', become: true },
    (stdout) => ok(Date.parse(/^notAfter=(.*)$/m.exec(stdout)?.[1] ?? '')),
  );
  if (!found.ok || Number.isNaN(found.value.value)) return undefined;
  const [evidence] = found.value.evidence;
  return evidence === undefined ? undefined : { file: tls.certificate, until: found.value.value, evidence };
}

/** Rules of one end that take packets of a connection to the database, sent or answered. */
async function takersOn(
  facts: Store,
  host: string,
  remote: string,
  end: 'client' | 'server',
): Promise<Trouble['strangers']> {
  const [v4, v6, nft] = await Promise.all([
    facts.get(hostIptables, host),
    facts.get(hostIp6tables, host),
    facts.get(hostNft, host),
  ]);
  const [leaving, coming] = [['OUTPUT', 'POSTROUTING'] as const, ['PREROUTING', 'INPUT'] as const];
  const [asked, answered] = end === 'client' ? [leaving, coming] : [coming, leaving];
  const found = remotesOf(remote).flatMap(({ address, port }) => {
    const family = parseAddress(address)?.family ?? 4;
    const dump = family === 4 ? v4 : v6;
    const rules = {
      iptables: dump.ok ? [{ family, dump: dump.value.value }] : [],
      nft: nft.ok ? [{ ruleset: nft.value.value }] : [],
    };
    const ways = [
      { family, protocol: 'tcp', destination: address, destinationPort: port, hooks: asked },
      { family, protocol: 'tcp', source: address, sourcePort: port, hooks: answered },
    ];
    return ways.flatMap((packet) =>
      strangersOf(rules, packet)
        .filter((s) => s.matches === 'yes' || (s.matches === 'unknown' && s.raw.includes(String(port))))
        .flatMap((stranger) => {
          const source = stranger.tool === 'nft' ? nft : dump;
          const [evidence] = source.ok ? source.value.evidence : [];
          return evidence === undefined ? [] : [{ host, stranger, evidence }];
        }),
    );
  });
  return found.filter((s, at) => found.findIndex((o) => o.stranger.key === s.stranger.key) === at);
}
