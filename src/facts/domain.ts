import { err, ok } from '../engine/result.ts';
import { type DomainInterface, parseDomainXml } from '../nodes/parse/virsh.ts';
import { hostLayout } from './host.ts';
import { run, source } from './io.ts';
import { type InstanceSubject, withoutHost } from './subject.ts';

/** What libvirt on the compute host says of the instance. */
export interface Domain {
  readonly name: string;
  readonly host: string;
  /** `running`, `shut off`, `paused`, … or `absent` when libvirt does not know it. */
  readonly state: string;
  readonly interfaces: readonly DomainInterface[];
}

/** `virsh domstate` and `virsh dumpxml` (without --security-info: no passwords) of the instance's domain. */
export const domain = source<InstanceSubject, Domain>(
  'instance.domain',
  (subject) => subject.id,
  async (subject, facts) => {
    const server = subject.server.value;
    const host = server['OS-EXT-SRV-ATTR:host'];
    const name = server['OS-EXT-SRV-ATTR:instance_name'];
    if (!host || !name) return err(withoutHost(subject));
    const layout = await facts.get(hostLayout, host);
    if (!layout.ok) return layout;
    const within = layout.value.value.within('libvirtd');
    const virsh = (...words: string[]): [string, ...string[]] => {
      const [first = 'virsh', ...rest] = [...within, 'virsh', '-c', 'qemu:///system', ...words];
      return [first, ...rest];
    };
    const [state, xml] = await Promise.all([
      run(facts, host, { argv: virsh('domstate', name), impact: 'read', become: true }),
      run(facts, host, { argv: virsh('dumpxml', name), impact: 'read', become: true }),
    ]);
    if (!state.ok) return state;
    if (!xml.ok) return xml;
    if (state.value.result.code !== 0) {
      const detail = state.value.result.stderr.trim();
      if (/domain not found|failed to get domain/i.test(detail)) {
        return ok({ value: { name, host, state: 'absent', interfaces: [] }, evidence: [state.value.evidence] });
      }
      return err({ kind: 'command', host, argv: virsh('domstate', name), code: state.value.result.code, detail });
    }
    const parsed = parseDomainXml(xml.value.result.stdout);
    if (!parsed.ok) return parsed;
    return ok({
      value: { name, host, state: state.value.result.stdout.trim(), interfaces: parsed.value.interfaces },
      evidence: [state.value.evidence],
    });
  },
);
