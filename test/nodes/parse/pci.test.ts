import { describe, expect, it } from 'vitest';
import { parsePci } from '../../../src/nodes/parse/pci.ts';

describe('the PCI devices of a node', () => {
  it('are virtual functions, such as have some to give, and others', () => {
    const listed = [
      '0000:00:01.0 0x1af4 0x1045 - 0 -',
      '0000:81:00.0 0x8086 0x1572 - 64 ens1f0',
      '0000:81:02.3 0x8086 0x154c 0000:81:00.0 0 ens1f0v3',
      'cat: /sys/bus/pci/devices/x: No such file or directory',
      '10000:e1:00.0 0x8086 0x0a54 - 0 -',
    ];
    expect(parsePci(listed.join('\n'))).toEqual([
      { address: '0000:00:01.0', vendor: '1af4', product: '1045', type: 'type-PCI' },
      { address: '0000:81:00.0', vendor: '8086', product: '1572', type: 'type-PF', interface: 'ens1f0' },
      {
        address: '0000:81:02.3',
        vendor: '8086',
        product: '154c',
        type: 'type-VF',
        parent: '0000:81:00.0',
        interface: 'ens1f0v3',
      },
      { address: '10000:e1:00.0', vendor: '8086', product: '0a54', type: 'type-PCI' },
    ]);
  });
});
