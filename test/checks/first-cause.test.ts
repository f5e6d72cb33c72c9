import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import type { WalkOptions } from '../../src/commands/walk-options.ts';
import { editing, editingOutput, healthy, port1 } from '../support/edit-bundle.ts';
import { bundleAt, reportOf } from '../support/replayed.ts';
import { type Case, cases, silent } from './cases.ts';
import { chassisCases } from './cases-ovn-chassis.ts';
import { ovnOrderedCases } from './cases-ovn-ordered.ts';
import { ovnPacketCases } from './cases-ovn-packets.ts';

/**
 * What stands first where it is not the code of the case: a symptom under what was found of it, or a case that only shows
 * how a symptom looks whose cause is in the same cloud.
 */
const first: Readonly<Record<string, string>> = {
  'OSD-PING-001': 'OSD-PATH-002',
  'OSD-PING-002': 'OSD-PATH-002',
  'OSD-CONSOLE-001': 'OSD-PATH-002',
  'OSD-CONSOLE-003': 'OSD-META-004',
  'OSD-PATH-003': 'OSD-PATH-002',
  'OSD-PATH-004': 'OSD-PATH-002',
  'OSD-PATH-005': 'OSD-PATH-002',
  'OSD-PATH-008': 'OSD-HOST-014',
  'OSD-PATH-009': 'OSD-HOST-014',
  'OSD-NAMES-001': 'OSD-DHCP-009',
  'OSD-OVN-060': 'OSD-SG-003',
  'OSD-OVN-063': 'OSD-OVN-062',
  'OSD-OVN-065': 'OSD-SG-003',
};

/** Cases in whose cloud two things are wrong: the subnet was given a name server that dnsmasq has not heard of yet. */
const beside: Readonly<Record<string, readonly string[]>> = { 'OSD-NAMES-001': ['OSD-NAMES-001'] };

const causesOf = async (bundle: Bundle, options?: WalkOptions): Promise<string[]> =>
  (await reportOf(bundle, options)).diagnosis.causes.map((c) => c.finding.code);

describe('one thing wrong is one cause', () => {
  it.each([...cases, ...chassisCases, ...ovnOrderedCases, ...ovnPacketCases])(
    '$code stands first where $says',
    async ({ code, bundle, options }: Case) => {
      const report = await reportOf(bundle(), options);
      const { causes, remarks } = report.diagnosis;
      const [stands] = causes;
      if (stands === undefined) {
        // Only what is no error may be a mere remark.
        expect(remarks.map((f) => f.code)).toContain(code);
        expect(remarks.find((f) => f.code === code)?.severity).not.toBe('error');
        return;
      }
      expect(stands.finding.code).toBe(first[code] ?? code);
      expect(causes.slice(1).map((c) => c.finding.code)).toEqual(beside[code] ?? []);
    },
  );

  it.each([
    ['demo/dnsmasq-dead.tgz', 'OSD-DHCP-003'],
    ['demo/hand-made-rule.tgz', 'OSD-HOST-014'],
    ['demo/security-group.tgz', 'OSD-SG-001'],
    ['demo/vxlan-blocked.tgz', 'OSD-TUNNEL-001'],
    ['demo/wrong-secret.tgz', 'OSD-META-003'],
    ['test/fixtures/bundles/ovs-tunnel-lost.tgz', 'OSD-TUNNEL-001'],
    ['test/fixtures/bundles/ovs-underlay-mtu.tgz', 'OSD-TUNNEL-003'],
    ['demo/ovn-acl-missing.tgz', 'OSD-SG-003'],
    ['demo/ovn-geneve-lost.tgz', 'OSD-OVN-019'],
    ['demo/ovn-hand-made-flow.tgz', 'OSD-OVN-061'],
    ['demo/ovn-northd-stopped.tgz', 'OSD-OVN-007'],
    ['test/fixtures/bundles/ovn-acl-added.tgz', 'OSD-OVN-039'],
    ['test/fixtures/bundles/ovn-chassis-name.tgz', 'OSD-OVN-013'],
    ['test/fixtures/bundles/ovn-dhcp-options.tgz', 'OSD-OVN-041'],
    ['test/fixtures/bundles/ovn-flow-deleted.tgz', 'OSD-OVN-062'],
    ['test/fixtures/bundles/ovn-gateway.tgz', 'OSD-OVN-053'],
    ['test/fixtures/bundles/ovn-metadata-secret.tgz', 'OSD-META-003'],
    ['test/fixtures/bundles/ovn-nat.tgz', 'OSD-OVN-047'],
    ['test/fixtures/bundles/ovn-static-mac-binding.tgz', 'OSD-OVN-054'],
    ['test/fixtures/bundles/ovn-trace-stopped.tgz', 'OSD-OVN-061'],
  ])('in the recorded run %s it is %s', async (path, code) => {
    expect(await causesOf(await bundleAt(path))).toEqual([code]);
  });
});

describe('two things wrong are two causes', () => {
  it('a silent gateway is not explained by what silences the instance', async () => {
    const gateway = (bundle: Bundle): Bundle =>
      editingOutput(
        bundle,
        'net1',
        '-W 1 198.19.0.1',
        (s) => s.replace(/\d received/, '0 received').replace('0% packet loss', '100% packet loss'),
        1,
      );
    const tapDown = editingOutput(silent(gateway(healthy)), 'cmp1', 'ip -d -s -j link show', (s) => {
      const links = JSON.parse(s);
      for (const l of links) if (l.ifname === `tap${port1.id.slice(0, 11)}`) l.flags = ['BROADCAST', 'MULTICAST'];
      return JSON.stringify(links);
    });
    const codes = await causesOf(tapDown);
    expect(codes[0]).toBe('OSD-HOST-004');
    expect(codes).toContain('OSD-PING-003');
  });

  it('a service that does not matter here never stands before what silences the instance', async () => {
    const image = editing(silent(healthy), '/images/', (body) => {
      body.status = 'deactivated';
    });
    expect((await causesOf(image))[0]).toBe('OSD-PATH-002');
  });
});
