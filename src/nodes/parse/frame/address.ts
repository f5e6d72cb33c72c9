import ipaddr from 'ipaddr.js';

function bytesAt(view: DataView, at: number, length: number): readonly number[] {
  return Array.from({ length }, (_, index) => view.getUint8(at + index));
}

export function macAt(view: DataView, at: number): string {
  return bytesAt(view, at, 6)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':');
}

export function ipv4At(view: DataView, at: number): string {
  return bytesAt(view, at, 4).join('.');
}

/** RFC 5952. */
export function ipv6At(view: DataView, at: number): string {
  return new ipaddr.IPv6([...bytesAt(view, at, 16)]).toRFC5952String();
}
