import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/open.ts';
import { editingOutput, healthy, repeating } from '../support/edit-bundle.ts';
import { findingsOf, reportOf } from '../support/replayed.ts';

const asked = healthy.hosts.get('net1')?.commands.find((c) => c.argv[0] === 'curl')?.argv;
if (asked === undefined) throw new Error('the healthy bundle asked for no metadata');

/** The metadata agent says nothing for 5 s; then, asked once more, `code` and `stdout`. curl(1): 28 is a timeout. */
function slow(code: number, stdout: string): Bundle {
  const longer = asked?.map((word, at) => (asked[at - 1] === '-m' ? '8' : word));
  const twice = repeating(healthy, 'net1', 'curl', 'again', () => stdout, longer);
  const silent = editingOutput(twice, 'net1', '-m 5', () => '000\n', 28);
  return editingOutput(silent, 'net1', '-m 8', () => stdout, code);
}
const codes = async (bundle: Bundle) => findingsOf(await reportOf(bundle)).map((f) => f.code);

describe('a metadata agent that is slow', () => {
  it('is no fault when it answers the second time', async () => {
    expect(await codes(slow(0, '200\n'))).not.toContain('OSD-META-002');
  });

  it('is named when it never answers', async () => {
    expect(await codes(slow(28, '000\n'))).toContain('OSD-META-002');
  });
});
