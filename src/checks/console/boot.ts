import { defineCheck, judged, passed } from '../../engine/check.ts';
import type { Finding, FindingSpec } from '../../engine/finding.ts';
import { advice, byOperator, findingOf } from '../../engine/finding-of.ts';
import { consoleLog } from '../../facts/console.ts';
import { ports } from '../../facts/instance-api.ts';
import { type Io, showing } from '../../facts/io.ts';
import { worksNow } from '../../facts/now.ts';
import type { InstanceSubject } from '../../facts/subject.ts';
import { sameAddress } from '../../path/addresses.ts';
import { instanceScope, verifyWith } from '../scope.ts';
import { noLease, noMetadata, noRoot, otherAddress, panicked } from './codes.ts';

const needs = { console: consoleLog, ports };
const optional = { now: worksNow };

export default defineCheck<Io, InstanceSubject, typeof needs, typeof optional>({
  id: 'console.boot',
  per: 'instance',
  title: 'The console shows a boot, a lease and metadata',
  needs,
  optional,
  findings: [noLease, otherAddress, noMetadata, panicked, noRoot],
  judge: ({ subject, facts, maybe }) => {
    const { log, text } = facts.console.value;
    const [evidence] = facts.console.evidence;
    if (evidence === undefined) throw new Error('a console without evidence');
    if (log.empty)
      return passed(
        'the console is empty (the image writes nothing to it, or it has not booted)',
        facts.console.evidence,
      );
    const list = facts.ports.value;
    const addresses = list.flatMap((p) => p.fixed_ips.map((f) => f.ip_address));
    const scope = {
      ...instanceScope(subject),
      network: list.map((p) => p.network_id),
      port: list.map((p) => p.id),
    };
    const verify = verifyWith('console', subject);
    const findings: Finding[] = [];
    const linesWith = (pattern: RegExp): string =>
      text
        .split('\n')
        .filter((l) => pattern.test(l))
        .slice(-4)
        .join('\n');
    const now = maybe.now.ok ? maybe.now.value.value : { answers: false, metadata: false };
    // The console tells of the last boot. What it lacked then and has now is worth a note, not an alarm.
    const add = (spec: FindingSpec, summary: string, lines: string, past = false): void => {
      findings.push(
        findingOf(spec, {
          summary: past ? `${summary} when it booted; it would get it now` : summary,
          subject: `instance ${subject.name}`,
          scope,
          ...(past ? { severity: 'info' as const } : {}),
          evidence: [showing(evidence, lines)],
          remedies:
            spec.nature === 'symptom'
              ? [
                  {
                    title: 'after the cause is mended, let the guest ask again',
                    risk: 'disruptive',
                    sufficient: false,
                    steps: [byOperator(['openstack', 'server', 'reboot', subject.id])],
                  },
                ]
              : [
                  {
                    title: 'read the rest of the console',
                    risk: 'none',
                    sufficient: false,
                    steps: [advice(spec.mend), byOperator(['openstack', 'console', 'log', 'show', subject.id])],
                  },
                ],
          verify,
        }),
      );
    };
    if (log.kernelPanic !== undefined)
      add(panicked, `The kernel of ${subject.name} panicked: ${log.kernelPanic}`, log.kernelPanic);
    const stuck = log.noBootableDevice ?? log.noRootDevice ?? log.emergencyMode;
    if (stuck !== undefined) add(noRoot, `${subject.name} found nothing to boot from: ${stuck}`, stuck);
    if (log.noLease && log.lease === undefined) {
      add(
        noLease,
        `${subject.name} got no DHCP lease`,
        linesWith(/udhcpc|dhclient|DHCPDISCOVER|No DHCPOFFERS|no lease|dhcpcd/i),
        now.answers,
      );
    } else if (log.lease !== undefined) {
      const { address } = log.lease;
      if (addresses.length > 0 && !addresses.some((a) => sameAddress(a, address))) {
        add(
          otherAddress,
          `${subject.name} took ${address}, which is no address of its ports (${addresses.join(', ')})`,
          linesWith(/lease|bound to|DHCPACK/i),
        );
      }
    }
    if (log.metadata?.outcome === 'failed' && log.metadata.gaveUp) {
      add(
        noMetadata,
        `${subject.name} could not read its metadata: ${log.metadata.status === undefined ? log.metadata.reason : `HTTP ${log.metadata.status}`}`,
        log.metadata.text,
        now.metadata,
      );
    }
    // cloud-init prints no lease of its own, but the addresses it found.
    const own = log.addresses.find((a) => a.address !== undefined && addresses.includes(a.address))?.address;
    const parts = [
      log.lease === undefined ? (own === undefined ? undefined : `address ${own}`) : `lease ${log.lease.address}`,
      log.metadata?.outcome === 'ok' ? 'metadata read' : undefined,
      log.cloudInit?.stage === 'finished'
        ? `finished booting${log.cloudInit.upSeconds === undefined ? '' : ` at ${Math.round(log.cloudInit.upSeconds)} s`}`
        : undefined,
      log.cloudInit === undefined && log.loginPrompt ? 'login prompt' : undefined,
    ].filter((part) => part !== undefined);
    return judged(findings, parts.join(', ') || 'booting, no sign of trouble', facts.console.evidence, [
      'boot of the guest',
    ]);
  },
});
