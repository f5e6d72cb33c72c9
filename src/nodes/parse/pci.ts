/** A PCI device of a host, as its folder in /sys/bus/pci/devices shows it. */
export interface SysPciDevice {
  /** `0000:81:02.3`. */
  readonly address: string;
  /** Four hexadecimal digits each. */
  readonly vendor: string;
  readonly product: string;
  /** As Nova types them (nova/virt/libvirt/driver.py): a virtual function, one that has virtual functions to give, any other. */
  readonly type: 'type-VF' | 'type-PF' | 'type-PCI';
  /** Of a virtual function: its physical one. */
  readonly parent?: string;
  /** Its network interface, or that of its physical function. */
  readonly interface?: string;
}

/** One line for each device: address, vendor, product, physical function, most virtual functions, interface; a dash where there is none. Constant. */
export const listPci = `for d in /sys/bus/pci/devices/*; do [ -e "$d/vendor" ] || continue
p=-; [ -e "$d/physfn" ] && p=$(basename "$(readlink -f "$d/physfn")")
n=$(cat "$d/sriov_totalvfs" 2>/dev/null || echo 0)
i=-; for f in "$d"/net/*; do [ -e "$f" ] && i=$(basename "$f") && break; done
echo "\${d##*/} $(cat "$d/vendor") $(cat "$d/device") $p $n $i"
done; true`;

/** Output of `listPci`; other lines are passed over. */
export function parsePci(stdout: string): readonly SysPciDevice[] {
  const line = /^([\da-f]{4,}:[\da-f]{2}:[\da-f]{2}\.\d) 0x([\da-f]{4}) 0x([\da-f]{4}) (\S+) (\d+) (\S+)$/i;
  return stdout.split('\n').flatMap((text): SysPciDevice[] => {
    const [, address, vendor = '', product = '', parent = '-', functions, name = '-'] = line.exec(text.trim()) ?? [];
    if (address === undefined) return [];
    return [
      {
        address,
        vendor,
        product,
        type: parent !== '-' ? 'type-VF' : Number(functions) > 0 ? 'type-PF' : 'type-PCI',
        ...(parent === '-' ? {} : { parent }),
        ...(name === '-' ? {} : { interface: name }),
      },
    ];
  });
}
