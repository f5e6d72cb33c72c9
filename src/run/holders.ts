import { z } from 'zod';
import type { Cloud } from '../cloud/cloud.ts';
import type { FactFailure } from '../engine/failure.ts';
import { ok, type Result } from '../engine/result.ts';
import { floatingIp, type Port, port } from '../facts/schemas/network.ts';
import type { PortSubject } from '../facts/subject.ts';

/**
 * Every port of the cloud that is reached at this address: its own, or a floating one that leads to it (whose own
 * port, `network:floatingip`, is left out). Floating addresses that may not be listed are not there.
 */
export async function holdersOf(cloud: Cloud, address: string): Promise<Result<readonly PortSubject[], FactFailure>> {
  const [fixed, floating] = await Promise.all([
    cloud.list({
      service: 'network',
      path: '/ports',
      query: { fixed_ips: `ip_address=${address}` },
      items: 'ports',
      schema: port,
    }),
    cloud.list({
      service: 'network',
      path: '/floatingips',
      query: { floating_ip_address: address },
      items: 'floatingips',
      schema: floatingIp,
    }),
  ]);
  if (!fixed.ok) return fixed;
  const holders = fixed.value.value
    .filter((p) => p.device_owner !== 'network:floatingip')
    .map((p) => subjectOf(p, fixed.value.evidence));
  for (const f of floating.ok ? floating.value.value : []) {
    if (!f.port_id) continue;
    const behind = await cloud.get({
      service: 'network',
      path: `/ports/${encodeURIComponent(f.port_id)}`,
      schema: z.looseObject({ port }),
    });
    if (behind.ok) holders.push(subjectOf(behind.value.value.port, behind.value.evidence));
  }
  return ok(holders);
}

const subjectOf = (value: Port, evidence: PortSubject['port']['evidence'][number]): PortSubject => ({
  kind: 'port',
  id: value.id,
  port: { value, evidence: [evidence] },
});
