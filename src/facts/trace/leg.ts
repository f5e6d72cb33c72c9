import type { Result } from '../../engine/result.ts';
import { familyOf, sameAddress } from '../../path/addresses.ts';
import type { Journey } from '../../path/ovn/journeys.ts';
import type { Leg, Probe } from '../../path/trace/observation.ts';
import type { Point } from '../../path/trace/point.ts';
import type { Store, TraceOption } from '../io.ts';
import type { Peer } from '../peer.ts';
import type { Sender } from '../ping.ts';
import type { Placement } from '../placement.ts';
import type { ServingRouter } from '../port-api.ts';
import type { PortSubject } from '../subject.ts';

/** One stretch of the trace, and who sends over it. */
export interface PlannedLeg {
  readonly leg: Leg;
  readonly from: Sender['from'] | 'port';
  /** Addresses by which its packets are known at any of its points. */
  readonly addresses: readonly string[];
  /** The port behind the last point, where an instance has to answer. */
  readonly guest?: PortSubject;
  /** Where packets are put in that the instance is to seem to have sent, and how they are addressed. */
  readonly injected?: {
    readonly bridge: string;
    readonly port: number;
    readonly sourceMac: string;
    readonly destinationMac: string;
    /** The guest does not see the answers, and cannot end what was opened in its name. */
    readonly resets?: true;
  };
  /** The port whose groups decide, at the first point, whether the probe is let out. */
  readonly leaves?: PortSubject;
  /** Whose agent runs the service that has to answer. */
  readonly server?: { readonly agent: string; readonly host: string; readonly router?: string };
  /** The instance's own request, where nobody puts it in: the switches are asked about it. */
  readonly asks?: PlannedLeg;
  /** Where its packets enter and leave what OVN switches. */
  readonly journey?: Pick<Journey, 'enters' | 'leaves'>;
  /** MAC address in whose name a DHCP server is asked from elsewhere. */
  readonly client?: string;
}

/** The packets of a stretch, before it is known where it begins and ends. */
export type Traffic = Omit<Probe, 'from' | 'to'>;

/** A conversation that the instance itself has to begin, with a service of its network; a trace follows it in its name. */
export interface Conversation {
  readonly subject: PortSubject;
  readonly place: Placement;
  /** The instance's address in it: the one that it asks for, or asks from. */
  readonly own: string;
  /** Those that serve its network. */
  readonly routers: readonly ServingRouter[];
  readonly traffic: Traffic;
  /** Whether packets are to be put in at its port, where a switch takes them. */
  readonly inject: boolean;
  readonly everyWay: boolean;
}

/** What a trace has to find stretches for. */
export interface Wish {
  readonly subject: PortSubject;
  readonly place: Placement;
  /** The instance's address that is traced. */
  readonly to: string;
  /** Those that serve its network. */
  readonly routers: readonly ServingRouter[];
  readonly traffic: Traffic;
  readonly trace: Pick<TraceOption, 'other' | 'inject' | 'everyWay'> & {
    /** A conversation that the instance has to begin. */
    readonly begun?: 'dhcp' | 'metadata';
  };
  readonly peer: Peer | undefined;
}

/** The stretches that a kind of backend can be traced over; or in a sentence why there are none. */
export type Planner = (facts: Store, wish: Wish) => Promise<Result<readonly PlannedLeg[], string>>;

/** An ICMP echo request whose payload holds the mark: 20 bytes of IPv4 header, 8 of ICMP, and 56 of payload as ping(8) has it. */
export const usualSize = 84;

/** The port's address of that name, else one of its family, else any. */
export const addressLike = (subject: PortSubject, like: string | undefined): string | undefined => {
  const all = subject.port.value.fixed_ips.map((f) => f.ip_address);
  const named = all.find((a) => like !== undefined && sameAddress(a, like));
  return (
    named ?? all.find((a) => familyOf(a) === familyOf(like ?? '0.0.0.0')) ?? (like === undefined ? all[0] : undefined)
  );
};

export const nameOf = (subject: PortSubject): string => subject.instance?.name ?? `port ${subject.id.slice(0, 8)}`;

/** From this machine to an instance: by its own address, or by one that is translated to it. */
export const fromThisMachine = (
  subject: PortSubject,
  traffic: Traffic,
  to: { readonly address: string; readonly fixed?: string },
  points: readonly Point[],
): PlannedLeg => ({
  from: 'operator',
  guest: subject,
  addresses: [to.address, ...(to.fixed === undefined ? [] : [to.fixed])],
  leg: {
    title: ['this machine', ...(to.fixed === undefined ? [] : [to.address]), nameOf(subject)].join(' → '),
    probe: { ...traffic, from: '', to: to.address },
    sender: { host: 'this machine' },
    points,
    answerer: { kind: 'guest', name: nameOf(subject) },
  },
});

export const subnetOf = (subject: PortSubject, address: string): string | undefined =>
  subject.port.value.fixed_ips.find((f) => f.ip_address === address)?.subnet_id;

export const present = <T>(list: readonly (T | undefined)[]): T[] => list.filter((one) => one !== undefined);
