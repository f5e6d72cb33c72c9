import { expect, it } from 'vitest';
import { metadataPort } from '../../../src/path/ovn/metadata-port.ts';

it('the devices of a metadata namespace are told apart by their last figure', () => {
  expect(metadataPort('a01c0100-5540-4860-9020-052711893b6f')).toEqual({
    netns: 'ovnmeta-a01c0100-5540-4860-9020-052711893b6f',
    inside: 'tapa01c0100-51',
    outside: 'tapa01c0100-50',
  });
});
