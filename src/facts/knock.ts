import type { Command } from '../nodes/command.ts';

/** Packets of one knock. */
export const knocks = 5;

/** UDP port of a kind of tunnel: IANA's (RFC 7348, RFC 8926). */
export const tunnelPort = { vxlan: 4789, geneve: 6081 } as const;
export type KnockKind = keyof typeof tunnelPort;

const zeros = (count: number): string => '\\x00'.repeat(count);
/** An empty frame of the experimental type 0x88b5 (IEEE 802) between locally administered addresses. */
const inner = `\\x02${zeros(4)}\\x01\\x02${zeros(4)}\\x02\\x88\\xb5`;
/**
 * A tunnel header with VNI 0 around it, which no network has (neutron_lib MIN_VXLAN_VNI and MIN_GENEVE_VNI are 1, OVN's
 * datapaths begin with 1): counted by the receiver, delivered to nobody.
 */
const frames: Readonly<Record<KnockKind, string>> = {
  vxlan: `\\x08${zeros(7)}${inner}`,
  geneve: `${zeros(2)}\\x65\\x58${zeros(4)}${inner}`,
};

/** A write that reports the ICMP error of the one before it (ip(7), IP_RECVERR) has not sent anything: it is done again. */
export const knockCommand = (to: string, port: number, kind: KnockKind): Command => ({
  argv: [
    'bash',
    '-c',
    'exec 3>"/dev/udp/$0/$1" || exit 1; for i in 1 2 3 4 5; do printf "$2" >&3 || printf "$2" >&3; sleep 0.1; done',
    to,
    String(port),
    frames[kind],
  ],
  impact: 'probe',
  parallel: true,
  timeoutSeconds: 5,
});
