import { describe, expect, test } from 'vitest';
import { parseEbtables } from '../../../src/nodes/parse/ebtables.ts';
import { parseIpsets } from '../../../src/nodes/parse/ipset.ts';
import { type IptablesRule, iptablesChain, iptablesRules, parseIptables } from '../../../src/nodes/parse/iptables.ts';
import { nftRules, parseNft } from '../../../src/nodes/parse/nft.ts';
import { expectNeverThrows, fixture, fixtures, understood } from './fixtures.ts';

const texts = (tool: string): readonly string[] => fixtures(tool).map(({ text }) => text);
const dump = (name: string) => understood(parseIptables(fixture('iptables-save', name)));
const rule = (line: string): IptablesRule | undefined =>
  iptablesRules(understood(parseIptables(`*filter\n:INPUT ACCEPT [0:0]\n${line}\nCOMMIT\n`)))[0];

describe('iptables-save', () => {
  test('the security group of a guest: its chain, its rules in order, their counters', () => {
    const guest = dump('lb-cmp1-v4.txt').tables.find(({ name }) => name === 'filter');
    const ingress = guest?.chains.find(({ name }) => name.startsWith('neutron-linuxbri-i'));
    expect(ingress?.policy).toBeUndefined();
    expect(ingress?.rules.map(({ index }) => index)).toEqual(ingress?.rules.map((_, at) => at + 1));
    expect(ingress?.rules[0]).toMatchObject({ ctstate: ['RELATED', 'ESTABLISHED'], target: 'RETURN' });
    expect(ingress?.rules.find(({ protocol }) => protocol === 'icmp')?.target).toBe('RETURN');
    expect(ingress?.rules.at(-1)?.comment).toBe('Send unmatched traffic to the fallback chain.');
    expect(ingress?.rules.some(({ packets }) => packets > 0)).toBe(true);
  });

  test('the anti-spoofing chain names the address and the MAC of the guest', () => {
    const spoof = dump('ovs-cmp1-v4.txt')
      .tables.flatMap(({ chains }) => chains)
      .find(({ name }) => name.startsWith('neutron-openvswi-s') && !name.includes('sg-'));
    expect(spoof?.rules[0]).toMatchObject({
      source: '10.0.0.144/32',
      macSource: 'fa:16:3e:b8:37:06',
      target: 'RETURN',
    });
    expect(spoof?.rules[1]).toMatchObject({ target: 'DROP', otherMatches: [] });
  });

  test('bridged traffic is told by its ports', () => {
    const forward = iptablesChain(dump('lb-cmp1-v4.txt'), 'filter', 'neutron-linuxbri-FORWARD');
    expect(forward?.rules[0]).toMatchObject({ bridged: true, target: 'neutron-linuxbri-sg-chain', goto: false });
    expect(forward?.rules[0]?.physdevOut).toMatch(/^tap/);
    expect(forward?.rules[1]?.physdevIn).toMatch(/^tap/);
  });

  test('floating IPs and metadata in a router', () => {
    const rules = iptablesRules(dump('lb-net1-qrouter-v4.txt')).filter(({ table }) => table === 'nat');
    const snat = rules.find(({ chain, target }) => chain === 'neutron-l3-agent-float-snat' && target === 'SNAT');
    expect(snat?.source).toMatch(/^10\.0\.0\.\d+\/32$/);
    expect(snat?.targetArgs.slice(0, 1)).toEqual(['--to-source']);
    const metadata = rules.find(({ target }) => target === 'REDIRECT');
    expect(metadata).toMatchObject({
      destination: '169.254.169.254/32',
      in: 'qr-+',
      dport: [{ from: 80, to: 80 }],
      targetArgs: ['--to-ports', '9697'],
    });
  });

  test('a mark of the connection is not the mark of the packet', () => {
    const rules = iptablesRules(dump('lb-net1-qrouter-v4.txt'));
    const connection = rules.find(({ target, raw }) => target === 'CONNMARK' && raw.includes('! --mark'));
    expect(connection).toMatchObject({ negated: [], otherMatches: ['! --mark 0x0/0xffff0000'] });
    expect(connection?.mark).toBeUndefined();
    const packet = rules.find(({ target, mark }) => target === 'DROP' && mark !== undefined);
    expect(packet).toMatchObject({ mark: '0x4000000/0xffff0000', negated: ['mark'] });
  });

  test('every kind of match: lists of ports, ranges, inversions, sets, what we have no field for', () => {
    const rules = iptablesRules(dump('iptables-1.8.9-kinds.txt'));
    const find = (text: string) => rules.find(({ raw }) => raw.includes(text));
    expect(find('multiport')).toMatchObject({
      dport: [
        { from: 80, to: 80 },
        { from: 443, to: 443 },
        { from: 1000, to: 2000 },
      ],
      comment: 'say "hi" \\ there',
      target: 'DROP',
    });
    expect(find('67:68')).toMatchObject({
      source: '10.0.0.0/8',
      negated: ['source'],
      dport: [{ from: 67, to: 68 }],
      target: 'REJECT',
      targetArgs: ['--reject-with', 'icmp-port-unreachable'],
    });
    expect(find('--icmp-type')).toMatchObject({
      out: 'lo',
      negated: ['out'],
      icmpType: '8',
      otherMatches: ['--limit 5/min'],
      targetArgs: ['--log-prefix', 'seen: '],
    });
    expect(find('physdev')).toMatchObject({ negated: ['physdevIn', 'macSource'] });
    expect(find('NIPv4abc')).toMatchObject({ matchSet: { name: 'NIPv4abc', directions: 'src' }, negated: [] });
    expect(find('dst,dst')).toMatchObject({ matchSet: { name: 'p1', directions: 'dst,dst' }, negated: ['matchSet'] });
    expect(find('--tcp-flags')).toMatchObject({ otherMatches: ['--tcp-flags SYN,RST SYN'], target: 'stranger' });
    expect(find('-A stranger')).toMatchObject({ chain: 'stranger', index: 1 });
    expect(find('-A stranger')?.target).toBeUndefined();
  });

  test('policies and the backend are kept', () => {
    expect(dump('iptables-1.8.9-kinds.txt').backend).toBe('nf_tables');
    expect(iptablesChain(dump('iptables-1.8.9-kinds.txt'), 'filter', 'FORWARD')?.policy).toBe('DROP');
    expect(iptablesChain(dump('lb-cmp1-v4.txt'), 'filter', 'INPUT')?.packets).toBeGreaterThan(0);
    expect(dump('iptables-1.8.9-legacy.txt').backend).toBeUndefined();
  });

  test('a warning of legacy tables is kept, from either stream', () => {
    const warning = '# Warning: iptables-legacy tables present, use iptables-legacy-save to see them';
    const saved = fixture('iptables-save', 'iptables-1.8.9-both.txt');
    expect(understood(parseIptables(`${warning}\n${saved}`)).warnings).toEqual([warning]);
    expect(understood(parseIptables(saved, `${warning}\n`)).warnings).toEqual([warning]);
    expect(understood(parseIptables(saved)).warnings).toEqual([]);
  });

  test('a rule without counters counts zero, and goto is no jump', () => {
    expect(rule('-A INPUT -p tcp -m tcp --dport 22 -g INPUT')).toMatchObject({
      packets: 0,
      bytes: 0,
      goto: true,
      target: 'INPUT',
    });
    expect(rule('[5:420] -A INPUT -p icmp -j DROP')).toMatchObject({
      packets: 5,
      bytes: 420,
      raw: '-A INPUT -p icmp -j DROP',
    });
    expect(rule('-A INPUT -p udp --sport :1023 -j DROP')?.sport).toEqual([{ from: 0, to: 1023 }]);
  });

  test('a table that is cut off is a parse failure, not a shorter table', () => {
    const whole = fixture('iptables-save', 'lb-cmp1-v4.txt');
    const cut = whole.slice(0, whole.lastIndexOf('COMMIT'));
    expect(parseIptables(cut)).toMatchObject({ ok: false, error: { line: expect.stringContaining('no COMMIT') } });
    expect(understood(parseIptables(''))).toEqual({ tables: [], warnings: [] });
  });

  test('every recorded dump is understood whole', () => {
    for (const { name, text } of fixtures('iptables-save')) {
      const written = text.split('\n').filter((line) => /(?:^|\] )-A /.test(line)).length;
      expect(iptablesRules(understood(parseIptables(text))), name).toHaveLength(written);
    }
  });

  test('no input makes it throw', () => expectNeverThrows((text) => parseIptables(text), texts('iptables-save')));
});

describe('nft list ruleset', () => {
  const json = understood(parseNft(fixture('nft', 'nft-1.0.6-kinds.json')));

  test('a stranger’s chain with its hook, its priority and what its rules do', () => {
    const input = json.tables[0]?.chains.find(({ name }) => name === 'input');
    expect(input).toMatchObject({ family: 'inet', table: 'stranger', hook: 'input', policy: 'accept', priority: '-5' });
    expect(input?.rules.map(({ verdict, packets, expression }) => [verdict, packets, expression])).toEqual([
      ['accept', undefined, 'ct state established,related accept'],
      ['drop', 0, 'ip saddr @blocked counter drop'],
      ['drop', 6, 'ip protocol icmp counter drop'],
      ['accept', 0, 'iifname eth0 tcp dport { 22, 80-90 } counter accept'],
      ['reject', 0, 'udp dport 4789 ip saddr 198.18.1.20 counter reject with icmp admin-prohibited'],
      ['jump', undefined, 'jump extra'],
    ]);
    expect(input?.rules[1]).toMatchObject({ comment: 'by hand', handle: 10 });
    expect(input?.rules.at(-1)?.target).toBe('extra');
  });

  test('tables of iptables are marked, others are not', () => {
    expect(json.tables.map(({ family, name, iptables }) => [family, name, iptables])).toEqual([
      ['inet', 'stranger', false],
      ['bridge', 'stranger', false],
      ['netdev', 'edge', false],
      ['ip', 'filter', true],
    ]);
  });

  test('a REJECT that iptables keeps as an extension is a reject', () => {
    expect(nftRules(json).find(({ expression }) => expression.includes('xt target REJECT'))?.verdict).toBe('reject');
  });

  test('the text form tells the same rules, handles, counters and verdicts', () => {
    const text = understood(parseNft(fixture('nft', 'nft-1.0.6-kinds.txt')));
    const said = (ruleset: typeof json) =>
      nftRules(ruleset).map(({ family, chain, handle, packets, bytes, verdict, target, comment }) => ({
        family,
        chain,
        handle,
        packets,
        bytes,
        verdict,
        target,
        comment,
      }));
    expect(said(text)).toEqual(said(json));
    expect(text.tables.map(({ iptables }) => iptables)).toEqual(json.tables.map(({ iptables }) => iptables));
    const plain = understood(parseNft(fixture('nft', 'nft-1.0.6-plain.txt')));
    expect(nftRules(plain).map(({ expression }) => expression)).toEqual(
      nftRules(text).map(({ expression }) => expression),
    );
    expect(nftRules(plain).every(({ handle }) => handle === undefined)).toBe(true);
  });

  test('elements of a set are no rules', () => {
    expect(nftRules(json)).toHaveLength(22);
  });

  test('nothing is an empty ruleset; a table that is cut off is a parse failure', () => {
    expect(understood(parseNft(''))).toEqual({ tables: [] });
    expect(understood(parseNft('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}'))).toEqual({ tables: [] });
    expect(parseNft('table ip filter {\n\tchain INPUT {\n\t\tcounter packets 0 bytes 0 drop\n').ok).toBe(false);
  });

  test('no input makes it throw', () => expectNeverThrows(parseNft, texts('nft')));
});

describe('ebtables', () => {
  test('ARP protection of a guest, from the saved and from the listed form alike', () => {
    const saved = understood(parseEbtables(fixture('ebtables', 'lb-cmp1-save.txt')));
    const listed = understood(parseEbtables(fixture('ebtables', 'lb-cmp1-nat-list.txt')));
    const arp = saved.find(({ name }) => name.startsWith('neutronARP-'));
    expect(arp?.rules.map(({ protocol, target, index }) => [protocol, target, index])).toEqual([
      ['ARP', 'ACCEPT', 1],
      [undefined, 'DROP', 2],
    ]);
    expect(arp?.rules[0]?.packets).toBeGreaterThan(0);
    const said = (chains: typeof saved) => chains.map(({ table, name, rules }) => ({ table, name, rules }));
    expect(said(listed)).toEqual(said(saved));
  });

  test('inverted matches', () => {
    const [first] = understood(parseEbtables(fixture('ebtables', 'ebtables-1.8.9-filter-save.txt')));
    expect(first?.rules[0]).toMatchObject({
      in: 'v0',
      protocol: 'ARP',
      negated: ['in', 'protocol'],
      target: 'CONTINUE',
    });
  });

  test('the counters of legacy ebtables-save stand behind the rule', () => {
    const legacy = '*filter\n:FORWARD ACCEPT\n-A FORWARD -p IPv4 -o tap1 -j DROP -c 5 420\n';
    expect(understood(parseEbtables(legacy))[0]?.rules[0]).toMatchObject({
      packets: 5,
      bytes: 420,
      out: 'tap1',
      target: 'DROP',
    });
  });

  test('no input makes it throw', () => expectNeverThrows(parseEbtables, texts('ebtables')));
});

describe('ipset save', () => {
  test('sets with their entries', () => {
    const sets = understood(parseIpsets(fixture('ipset', 'ipset-7.17-kinds.txt')));
    expect(sets.map(({ name, type, family }) => [name, type, family])).toEqual([
      ['NIPv4abc', 'hash:net', 4],
      ['p1', 'hash:ip,port', 4],
      ['all', 'list:set', undefined],
    ]);
    expect(sets[0]?.entries.map(({ entry }) => entry)).toEqual(['10.0.0.8', '10.1.0.0/16']);
    expect(sets[0]?.maxElements).toBe(4096);
  });

  test('an exception in a set is no member', () => {
    const set = 'create s hash:net family inet\nadd s 10.0.0.0/8\nadd s 10.0.0.9 nomatch\n';
    expect(understood(parseIpsets(set))[0]?.entries[1]).toEqual({ entry: '10.0.0.9', nomatch: true });
  });

  test('no input makes it throw', () => expectNeverThrows(parseIpsets, texts('ipset')));
});
