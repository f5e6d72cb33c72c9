/** Counters of nstat(8) that count packets a network stack threw away, with what that means (Linux net/ipv4/proc.c, Documentation/networking/snmp_counter.rst). */
const DROPS: Readonly<Record<string, string>> = {
  IpInHdrErrors: 'a bad IP header, or a TTL that ran out',
  IpInAddrErrors: 'a destination that is not its own while it does not forward (ip_forward)',
  IpInDiscards: 'discarded on the way in',
  IpInUnknownProtos: 'nobody listens for the protocol',
  IpOutDiscards: 'discarded on the way out: a filter, or a neighbour that does not answer',
  IpOutNoRoutes: 'no route to the destination',
  IpReasmFails: 'fragments that never became whole',
  IpFragFails: 'too large for the next link and not to be fragmented',
  IpExtInNoRoutes: 'no route for what came in, or a blackhole or prohibit route',
  IpExtInTruncatedPkts: 'cut short',
  IpExtInCsumErrors: 'a wrong checksum',
  TcpExtIPReversePathFilter: 'reverse path filter (rp_filter): the way back is another interface',
  TcpExtListenDrops: 'a full queue of a listening socket',
  Ip6InHdrErrors: 'a bad IPv6 header, or a hop limit that ran out',
  Ip6InAddrErrors: 'a destination that is not its own while it does not forward',
  Ip6InDiscards: 'discarded on the way in',
  Ip6InNoRoutes: 'no route for what came in',
  Ip6OutNoRoutes: 'no route to the destination',
  Ip6OutDiscards: 'discarded on the way out',
  Ip6InTooBigErrors: 'too large for the next link',
};

/** What a counter of the kernel means when it rises; undefined for one that counts no loss. */
export const meaningOfDrop = (counter: string): string | undefined => DROPS[counter];

export const kernelDrops: readonly string[] = Object.keys(DROPS);
