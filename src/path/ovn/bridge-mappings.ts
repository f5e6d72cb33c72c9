/** ovn-bridge-mappings, `physnet1:br-ex,physnet2:br-two`: the bridge by which a chassis meets each physical network. */
export const bridgeMappings = (words: string | undefined): ReadonlyMap<string, string> =>
  new Map(
    (words ?? '').split(',').flatMap((pair): [string, string][] => {
      const [physical = '', bridge = ''] = pair.trim().split(':');
      return bridge === '' ? [] : [[physical, bridge]];
    }),
  );
