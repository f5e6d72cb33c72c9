import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import { resolveEnds } from '../../src/commands/reach-ends.ts';
import { runOptionsOf } from '../../src/commands/walk-options.ts';
import { FactStore } from '../../src/engine/fact.ts';
import { surveyor } from '../../src/facts/reach.ts';
import { whoCanReach } from '../../src/facts/reach-who-can.ts';
import type { Question } from '../../src/path/reach/question.ts';
import type { Reach } from '../../src/path/reach/reach.ts';
import { type Door, openReplay } from '../../src/run/doors.ts';
import { resolveTarget } from '../../src/run/target.ts';
import { alsoAsked, editing, editingPort, healthy, port1, refusing } from '../support/edit-bundle.ts';

type What = Pick<Question, 'protocol' | 'port'>;

async function asked<T>(bundle: Bundle, use: (facts: FactStore<Door['io']>, door: Door) => Promise<T>): Promise<T> {
  const door = openReplay(bundle, runOptionsOf({}));
  try {
    return await use(new FactStore(door.io), door);
  } finally {
    await door.close();
  }
}

const reached = (bundle: Bundle, from: string, to: string, what: What = { protocol: 'icmp' }): Promise<Reach> =>
  asked(bundle, async (facts) => {
    const map = surveyor(facts);
    const ends = await resolveEnds(facts, map, { from, to, family: undefined }, { references: ['web-1'] });
    return map.answer({ ...ends, ...what });
  });

describe('what reach asks the APIs', () => {
  it('is asked once, however many answers hang on it, and no host is talked to', () =>
    asked(healthy, async (facts, door) => {
      const map = surveyor(facts);
      const typed = { from: 'web-1', to: '198.51.100.9', family: undefined };
      const ends = await resolveEnds(facts, map, typed, { references: ['web-1'] });
      await map.answer({ ...ends, protocol: 'tcp', port: 443 });
      const { requests } = door.cloud;
      const again = await map.answer({ ...ends, protocol: 'udp', port: 53 });
      expect(again.verdict).toBe('reachable');
      expect(door.cloud.requests).toBe(requests);
      expect(door.io.nodes.statistics).toMatchObject({ connections: 0, commands: 0 });
    }));

  it('and refused, is not known, with what would tell', async () => {
    const found = await reached(refusing(healthy, '/security-groups?', 403, 'not for you'), 'router', 'web-1');
    expect(found).toMatchObject({ verdict: 'unknown', decisive: { at: 'destination-tap', topic: 'rules' } });
    expect(found.decisive?.because).toContain('may not see');
    expect(found.decisive?.tell).toContain('credentials');
  });

  it('a router without translation leaves the way back to the routers outside', async () => {
    const plain = editing(
      editing(healthy, /routers\/[0-9a-f-]+$/, ({ router }) => {
        router.external_gateway_info.enable_snat = false;
      }),
      '/floatingips?',
      (body) => ({ ...body, floatingips: [] }),
    );
    const found = await reached(plain, 'web-1', 'outside', { protocol: 'tcp', port: 443 });
    expect(found).toMatchObject({ verdict: 'unknown', decisive: { way: 'back' } });
  });

  it('an interface of the router that is off is named', async () => {
    const off = editing(healthy, /ports\?device_id=(?!5a7990ab)/, (body) => {
      for (const p of body.ports) if (p.device_owner === 'network:router_interface') p.admin_state_up = false;
    });
    const found = await reached(off, 'web-1', 'outside');
    expect(found).toMatchObject({ verdict: 'unreachable', decisive: { at: 'router', object: { kind: 'port' } } });
  });

  it('a port that keeps no state behind the native driver is not judged by its rules alone', async () => {
    const group: string = port1.security_groups[0];
    const stateless = (bundle: Bundle) =>
      editing(bundle, `/security-groups?id=${group}`, (body) => {
        for (const g of body.security_groups) {
          g.stateful = false;
          g.security_group_rules = g.security_group_rules.filter(
            (r: { direction: string }) => r.direction === 'ingress',
          );
        }
      });
    const bare = await reached(stateless(healthy), 'router', 'web-1');
    expect(bare).toMatchObject({ verdict: 'unreachable', decisive: { way: 'back', at: 'destination-tap' } });
    const native = editingPort(stateless(healthy), (p) => {
      p['binding:vif_type'] = 'ovs';
      p['binding:vif_details'] = { ovs_hybrid_plug: false, bound_drivers: { 0: 'openvswitch' } };
    });
    expect((await reached(native, 'router', 'web-1')).verdict).toBe('unknown');
  });

  it('an address group is read for its addresses', async () => {
    const group: string = port1.security_groups[0];
    const grouped = editing(healthy, `/security-groups?id=${group}`, (body) => {
      for (const r of body.security_groups[0].security_group_rules) {
        if (r.direction === 'ingress') Object.assign(r, { remote_ip_prefix: null, remote_address_group_id: 'friends' });
      }
    });
    expect((await reached(grouped, 'router', 'web-1')).verdict).toBe('unknown');
    const answer = (addresses: readonly string[]) =>
      alsoAsked(grouped, '/security-groups?', '/v2.0/address-groups/friends', () => ({ address_group: { addresses } }));
    expect((await reached(answer(['10.0.0.1/32']), 'router', 'web-1')).verdict).toBe('reachable');
    // Behind iptables, which may not heed it, a stranger is not known.
    const stranger = await reached(answer(['10.0.0.9/32']), 'router', 'web-1');
    expect(stranger.decisive?.because).toContain('heeds address groups');
  });
});

describe('who is let in', () => {
  const who = (bundle: Bundle) =>
    asked(bundle, async (facts, door) => {
      const { ports } = await resolveTarget(door.cloud, 'web-1', true, () => {});
      return whoCanReach(facts, ports, [{ protocol: 'tcp', port: 22 }], undefined);
    });

  it('everybody, by the rule that says so', async () => {
    const [answer] = await who(healthy);
    expect(answer).toMatchObject({ certain: true, families: [{ family: 4, extent: 'everybody' }] });
    expect(answer?.families[0]?.sources[0]?.by[0]?.rule.portMin).toBe(22);
  });

  it('not known, where the groups may not be read', async () => {
    const [answer] = await who(refusing(healthy, '/security-groups?', 403, 'not for you'));
    expect(answer).toMatchObject({ certain: false, families: [{ extent: 'not-known' }] });
    expect(answer?.because).toContain('may not see');
  });
});
