import type { Family } from '../addresses.ts';

/** One end of a path. */
export type End =
  /** A port, spoken to (or speaking) at one of its fixed addresses. */
  | { readonly kind: 'port'; readonly portId: string; readonly address: string; readonly name: string }
  /** Whoever has this address where the packet gets: a floating address, or one of somebody unknown. */
  | { readonly kind: 'address'; readonly address: string; readonly name: string }
  /** Beyond the gateways of the external networks; no address: anywhere there. */
  | { readonly kind: 'outside'; readonly address?: string; readonly name: string }
  /** 169.254.169.254, as an instance asks it. Only a destination. */
  | { readonly kind: 'metadata'; readonly address: string; readonly name: string };

export const METADATA_ADDRESS = '169.254.169.254';

/** What kind of packet, from where to where. */
export interface Question {
  readonly from: End;
  readonly to: End;
  readonly protocol: 'icmp' | 'tcp' | 'udp';
  /** Destination port of tcp and udp. */
  readonly port?: number;
  /** The sender's own port: only stateless groups and DHCP ask for it. */
  readonly sourcePort?: number;
  readonly family: Family;
  /** Bytes of the IP packet, which may not be fragmented. */
  readonly size?: number;
}

export const nameOfTraffic = (q: Pick<Question, 'protocol' | 'port'>): string =>
  q.port === undefined ? q.protocol : `${q.protocol}/${q.port}`;
