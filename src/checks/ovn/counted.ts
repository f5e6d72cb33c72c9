import { defineCheck, judged, notSeen, skipped } from '../../engine/check.ts';
import type { Evidence } from '../../engine/evidence.ts';
import type { Finding } from '../../engine/finding.ts';
import { findingOf, onHost } from '../../engine/finding-of.ts';
import { type Io, showing } from '../../facts/io.ts';
import { chassisView } from '../../facts/ovn/chassis.ts';
import { onPathHosts, pathHosts, placement } from '../../facts/placement.ts';
import { type HostCounters, type Repeated, secondLook } from '../../facts/second-look.ts';
import type { PortSubject } from '../../facts/subject.ts';
import { deviceName } from '../../path/addresses.ts';
import { metadataPort } from '../../path/ovn/metadata-port.ts';
import type { ChassisView } from '../../path/ovn/model.ts';
import { gapOf, type Station } from '../../path/ovn/stations.ts';
import { readingsOf } from '../host/rule-counters.ts';
import { guestSilent, lostBetween } from '../path/codes.ts';
import { lookingInside } from '../remedies.ts';
import { linkName, ownerName, portScope, verifyWith } from '../scope.ts';

const needs = { placement, hosts: pathHosts };
const optional = { look: secondLook, views: onPathHosts(chassisView) };

/** From reading to reading. */
const risesOf = (values: readonly (number | undefined)[]): readonly number[] | undefined =>
  values.length < 2 || values.some((v) => v === undefined)
    ? undefined
    : values.slice(1).map((value, at) => (value ?? 0) - (values[at] ?? 0));

/** Where real packets ended: the pings that were lost, sent again, at every device that they have to pass. */
export default defineCheck<Io, PortSubject, typeof needs, typeof optional>({
  id: 'ovn.counted',
  per: 'port',
  families: ['ovn'],
  title: 'The probes were followed by counters from chassis to chassis, to the instance and back',
  needs,
  optional,
  findings: [guestSilent, lostBetween],
  judge: ({ subject, facts, maybe }) => {
    if (!maybe.look.ok) return notSeen(maybe.look.error);
    const look = maybe.look.value.value;
    const { host } = facts.placement.value;
    const views = maybe.views.ok ? maybe.views.value.value : new Map();
    const viewOf = (name: string): ChassisView | undefined => {
      const view = views.get(name);
      return view?.ok === true ? view.value.value : undefined;
    };
    const lost = look.repeated.filter((r) => r.again.received === 0 && !r.fullSize);
    if (lost.length === 0) return skipped('no ping was lost twice as a whole');
    const device = (name: string, way: 'rx' | 'tx', words: string): Station => ({
      host,
      name: words,
      rises: risesOf(
        readingsOf(look, host, (at: HostCounters) => at.links.find((l) => l.name === name)?.[way].packets),
      ),
    });
    const tunnel = (at: string, to: string, way: 'rx' | 'tx'): Station => {
      const view = viewOf(at);
      const port = view?.tunnels.find((t) => viewOf(to)?.encapIps.includes(t.remoteIp));
      const names = [port?.name, String(port?.ofport ?? '')];
      return {
        host: at,
        name: `the ${port?.type ?? 'tunnel'} port ${port?.name ?? ''} of ${at}`.replace('  ', ' '),
        rises:
          view === undefined || port === undefined
            ? undefined
            : risesOf(
                readingsOf(
                  look,
                  at,
                  (counters: HostCounters) =>
                    counters.ports.get(view.integrationBridge)?.find((p) => names.includes(p.port))?.[way],
                ),
              ),
      };
    };
    const tap = deviceName('tap', subject.id);
    const toGuest = device(tap, 'tx', `${tap} towards the guest`);
    const fromGuest = device(tap, 'rx', `${tap} from the guest`);
    const around = ({ first }: Repeated): readonly Station[] => {
      if (first.from === 'ovnmeta') {
        const { outside } = metadataPort(subject.port.value.network_id);
        return [
          device(outside, 'rx', `${outside} of the metadata namespace`),
          toGuest,
          fromGuest,
          device(outside, 'tx', `${outside} to the metadata namespace`),
        ];
      }
      const gateway = first.routerId === undefined ? undefined : facts.hosts.value.routers.get(first.routerId);
      return gateway === undefined || gateway === host
        ? [toGuest, fromGuest]
        : [
            tunnel(gateway, host, 'tx'),
            tunnel(host, gateway, 'rx'),
            toGuest,
            fromGuest,
            tunnel(host, gateway, 'tx'),
            tunnel(gateway, host, 'rx'),
          ];
    };
    const verify = verifyWith('net', subject);
    const findings: Finding[] = [];
    const notes: string[] = [];
    for (const probe of lost) {
      const sender: Station = {
        host: probe.first.host,
        name: probe.first.from === 'operator' ? 'this machine' : `the metadata namespace on ${probe.first.host}`,
        rises: [probe.again.sent, ...(probe.onceMore === undefined ? [] : [probe.onceMore.sent])],
      };
      const stations = [sender, ...around(probe)];
      const gap = gapOf(stations);
      const sent = sender.rises?.join(' and ') ?? '';
      const lines = stations
        .slice(1)
        .map((s) => `${s.name}: ${s.rises === undefined ? 'not read' : `+${s.rises.join(' +')}`}`);
      const evidence: Evidence = showing(probe.evidence, [`${sent} packets sent to ${probe.first.to}`, ...lines]);
      if (gap === undefined) {
        notes.push(`${probe.first.from}→${probe.first.to}: ${lines.join(', ')}`);
        continue;
      }
      // What the operator's machine sends crosses no host of the path before the gateway.
      const ends = [...new Set([gap.after === sender ? gap.before.host : gap.after.host, gap.before.host])];
      const scope = portScope(subject, {
        host: ends,
        ...(ends.length === 2 ? { link: [linkName(ends[0] ?? '', ends[1] ?? '')] } : {}),
      });
      if (gap.after === toGuest) {
        findings.push(
          findingOf(guestSilent, {
            summary: `Probes reach ${tap} on ${host}, and ${ownerName(subject)} sends nothing back`,
            subject: `guest of ${ownerName(subject)}`,
            scope,
            confidence: 'likely',
            evidence: [evidence],
            remedies: [lookingInside],
            verify,
          }),
        );
        continue;
      }
      findings.push(
        findingOf(lostBetween, {
          summary:
            gap.after === sender
              ? `Of ${sent} packets from ${sender.name} to ${probe.first.to} none was counted at ${gap.before.name}`
              : `Of ${sent} packets to ${probe.first.to}, ${gap.after.rises?.join(' and ')} were counted at ${gap.after.name}, and none at ${gap.before.name}`,
          subject: `path ${gap.after.host} → ${gap.before.host}`,
          scope,
          confidence: 'likely',
          evidence: [evidence],
          remedies: [
            {
              title: 'see the packets themselves',
              risk: 'none',
              sufficient: false,
              steps: ends.map((at) =>
                onHost(at, ['ovs-appctl', 'dpctl/dump-flows', '-m'], 'what the datapath does with them'),
              ),
            },
          ],
          verify,
        }),
      );
    }
    return judged(findings, notes.join(' · '), maybe.look.value.evidence.slice(0, 1));
  },
});
