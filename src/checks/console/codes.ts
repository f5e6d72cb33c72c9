import type { FindingSpec } from '../../engine/finding.ts';

export const noLease: FindingSpec = {
  code: 'OSD-CONSOLE-001',
  severity: 'error',
  nature: 'symptom',
  title: 'The instance got no DHCP lease',
  meaning: "The guest's DHCP client gave up.",
  evidence: 'the last lines of its DHCP client on the console.',
  mend: 'A symptom: mend the DHCP server, the way to it, or the security of the port. Then let the guest ask again (reboot it).',
  explains: [
    { code: 'OSD-CONSOLE-003', over: ['instance'] },
    { code: 'OSD-PING-*', over: ['instance'] },
  ],
  refs: [],
};

export const otherAddress: FindingSpec = {
  code: 'OSD-CONSOLE-002',
  severity: 'error',
  nature: 'cause',
  title: "The instance's lease is not an address of its port",
  meaning:
    "The guest took another address than Neutron's: a second DHCP server answered, or an old lease was kept. Port security drops what it sends.",
  evidence: "the lease on the console against the port's fixed addresses.",
  mend: 'Find the other DHCP server; renew the lease in the guest.',
  explains: [
    { code: 'OSD-PING-*', over: ['instance'] },
    { code: 'OSD-PATH-*', over: ['instance'] },
  ],
  refs: [],
};

export const noMetadata: FindingSpec = {
  code: 'OSD-CONSOLE-003',
  severity: 'error',
  nature: 'symptom',
  title: 'The instance could not read its metadata',
  meaning: 'cloud-init asked 169.254.169.254 and got no good answer: no keys, no host name, no user data.',
  evidence: 'the last metadata request of cloud-init on the console.',
  mend: 'A symptom: mend the metadata service or the way to it, then reboot the guest.',
  explains: [],
  refs: [],
};

export const panicked: FindingSpec = {
  code: 'OSD-CONSOLE-004',
  severity: 'error',
  nature: 'cause',
  title: "The guest's kernel panicked",
  meaning: 'The guest stopped in its kernel; nothing in it answers.',
  evidence: "the kernel's own line on the console.",
  mend: 'Look at the lines before the panic: image, kernel, disk or memory of the flavor.',
  explains: [
    { code: 'OSD-PING-*', over: ['instance'] },
    { code: 'OSD-PATH-*', over: ['instance'] },
    { code: 'OSD-CONSOLE-005', over: ['instance'] },
    { code: 'OSD-CONSOLE-003', over: ['instance'] },
  ],
  refs: [],
};

export const noRoot: FindingSpec = {
  code: 'OSD-CONSOLE-005',
  severity: 'error',
  nature: 'cause',
  title: 'The guest found nothing to boot from',
  meaning: 'No boot device, no root file system, or the guest stopped in emergency mode.',
  evidence: 'the line of the firmware, the boot loader or the initial ramdisk on the console.',
  mend: 'Check the image (and the volume) the instance boots from.',
  explains: [
    { code: 'OSD-PING-*', over: ['instance'] },
    { code: 'OSD-PATH-*', over: ['instance'] },
    { code: 'OSD-CONSOLE-003', over: ['instance'] },
  ],
  refs: [],
};
