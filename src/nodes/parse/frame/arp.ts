import { ipv4At, macAt } from './address.ts';
import { after, bounded, head, isStop, type Span, type Step, unknown } from './span.ts';

/** ARP for IPv4 on Ethernet (RFC 826). What follows it is padding. */
export function readArp(span: Span): Step {
  const header = head(span, 28, 'ARP');
  if (isStop(header)) return header;
  const forIpv4OnEthernet = header.getUint32(0) === 0x0001_0800 && header.getUint16(4) === 0x0604;
  if (!forIpv4OnEthernet) return unknown('ARP that is not for IPv4 on Ethernet');
  const operation = header.getUint16(6);
  return {
    layer: {
      layer: 'arp',
      operation: operationOf(operation),
      senderMac: macAt(header, 8),
      sender: ipv4At(header, 14),
      targetMac: macAt(header, 18),
      target: ipv4At(header, 24),
    },
    rest: bounded(after(span, 28), 0),
  };
}

function operationOf(operation: number): 'request' | 'reply' | number {
  if (operation === 1) return 'request';
  return operation === 2 ? 'reply' : operation;
}
