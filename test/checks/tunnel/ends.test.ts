import { describe, expect, it } from 'vitest';
import { sickEnds } from '../../../src/checks/tunnel/ends.ts';
import { type InterfaceAddress, parseAddresses } from '../../../src/nodes/parse/addresses.ts';
import { type Link, parseLinks } from '../../../src/nodes/parse/links.ts';
import { healthy } from '../../support/edit-bundle.ts';

/** What a command printed on a host of the recorded cloud. */
function printed(host: string, words: string): string {
  const found = healthy.hosts.get(host)?.commands.find((c) => c.netns === undefined && c.argv.join(' ') === words);
  if (found?.outcome.ok !== true) throw new Error(`${words} was not recorded on ${host}`);
  return found.outcome.value.stdout;
}

function addressesOf(host: string): readonly InterfaceAddress[] {
  const parsed = parseAddresses(printed(host, 'ip -j addr show'));
  if (!parsed.ok) throw new Error(`the addresses of ${host} are not read`);
  return parsed.value;
}

function linksOf(host: string): readonly Link[] {
  const parsed = parseLinks(printed(host, 'ip -d -s -j link show'));
  if (!parsed.ok) throw new Error(`the links of ${host} are not read`);
  return parsed.value;
}

const endpoint = (host: string): string => linksOf(host).find((l) => l.vxlan?.local !== undefined)?.vxlan?.local ?? '';
const holder = (host: string): string => addressesOf(host).find((a) => a.address === endpoint(host))?.dev ?? '';
const way = { from: 'net1', to: 'cmp1', ownEnd: endpoint('net1'), farEnd: endpoint('cmp1') };
const seen = { addressesOf, linksOf, ovsOf: () => undefined };

describe('the ends of a tunnel', () => {
  it('are well where all is well', () => {
    expect(way.ownEnd).not.toBe('');
    expect(sickEnds(way, seen)).toEqual([]);
  });

  it('are sick where the interface of the endpoint is down', () => {
    const down = (host: string): readonly Link[] =>
      linksOf(host).map((l) => (host === 'cmp1' && l.name === holder('cmp1') ? { ...l, up: false } : l));
    expect(sickEnds(way, { ...seen, linksOf: down })).toEqual([
      { host: 'cmp1', words: `${holder('cmp1')} of cmp1 is down`, down: holder('cmp1') },
    ]);
  });

  it('are sick where no interface has the address of the endpoint', () => {
    const without = (host: string): readonly InterfaceAddress[] =>
      addressesOf(host).filter((a) => host !== 'net1' || a.address !== way.ownEnd);
    expect(sickEnds(way, { ...seen, addressesOf: without })[0]?.words).toBe(
      `no interface of net1 has the address ${way.ownEnd}`,
    );
  });

  it('are not judged on a host that was not seen', () => {
    expect(sickEnds(way, { ...seen, addressesOf: () => undefined })).toEqual([]);
  });
});
