#!/bin/bash
# Builds the lab's second guest: Debian 12 with systemd and its own cloud-init on an ext4 disk, booted by Nova with the small
# guest's kernel and a ramdisk that only finds the disk.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
G=$LAB_STATE/guest; cd "$G"
R=$G/cloudinit-root
[ -s cloudinit.qcow2 ] && [ -s cloudinit-initrd.gz ] && [ cloudinit.qcow2 -nt "$LAB_DIR/guest/build-cloudinit.sh" ] && [ cloudinit-initrd.gz -nt vmlinuz ] && { echo present; exit 0; }
mirror=$(debian_mirror)
rm -rf "$R"
debootstrap --variant=minbase --include=systemd,systemd-sysv,udev,dbus,cloud-init,python3-cffi-backend,ifupdown,isc-dhcp-client,iproute2,iputils-ping,openssh-server,netbase,procps bookworm "$R" "$mirror"
echo guest > "$R/etc/hostname"; printf '127.0.0.1 localhost\n' > "$R/etc/hosts"; printf '/dev/vda / ext4 defaults 0 1\n' > "$R/etc/fstab"
rm -f "$R"/etc/ssh/ssh_host_* "$R/etc/machine-id" "$R/var/lib/dbus/machine-id"; : > "$R/etc/machine-id"; : > "$R/etc/resolv.conf"
printf 'source-directory /etc/network/interfaces.d\n' > "$R/etc/network/interfaces"
# the data source a Nova guest has, and key types that need no minutes in an emulated CPU
cat > "$R/etc/cloud/cloud.cfg.d/90_lab.cfg" <<'X'
datasource_list: [OpenStack, None]
ssh_genkeytypes: [ed25519, ecdsa]
disable_root: false
X
# modules that have nothing to do here: each costs seconds of emulated CPU
for m in apt-pipelining apt-configure grub-dpkg ntp timezone disable-ec2-metadata byobu fan landscape lxd ubuntu-drivers puppet chef mcollective salt-minion \
    rightscale_userdata growpart resizefs disk_setup mounts ca-certs rsyslog package-update-upgrade-install locale spacewalk reset_rmc refresh_rmc_and_interface install-hotplug phone-home power-state-change; do
  sed -i -E "/^ *- (\[ *)?$m( *,.*\]|\])?\$/d" "$R/etc/cloud/cloud.cfg"; done
mkdir -p "$R/etc/systemd/system/serial-getty@ttyS0.service.d"
printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --keep-baud 115200 %%I vt100\n' > "$R/etc/systemd/system/serial-getty@ttyS0.service.d/lab.conf"
for u in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service systemd-timesyncd.service; do ln -sf /dev/null "$R/etc/systemd/system/$u"; done
chroot "$R" systemctl enable serial-getty@ttyS0.service ssh.service >/dev/null 2>&1
rm -rf "$R"/var/cache/apt/archives/*.deb "$R"/var/cache/apt/*.bin "$R"/var/lib/apt/lists/* "$R"/usr/share/{doc,man,locale,info}/* "$R"/var/log/*.log "$R"/var/log/apt
find "$R/usr/lib/python3" -name __pycache__ -prune -o -name '*.py' -print >/dev/null
chroot "$R" python3 -m compileall -q /usr/lib/python3 /usr/lib/python3.11 >/dev/null 2>&1 || true      # or each boot compiles them, emulated

# the ramdisk: virtio, ext4, switch_root
I=$G/cloudinit-r; rm -rf "$I"; mkdir -p "$I"/{bin,proc,sys,dev,root,lib/modules}
cp $BASE/bin/busybox "$I/bin/busybox"
for a in sh mount insmod sleep switch_root cat echo ls; do ln -sf busybox "$I/bin/$a"; done
mod() { local m=$1 d p; p=$(find k/lib/modules -name "$m.ko*" | head -1); [ -n "$p" ] || return 0
  for d in $(/sbin/modinfo -F depends "$p" | tr ',' ' '); do mod "$d"; done
  [ -e "$I/lib/modules/$m.ko" ] || { cp "$p" "$I/lib/modules/"; echo "$m" >> "$I/lib/modules/order"; }; }
for m in virtio_pci virtio_net virtio_blk virtio_rng crc32c_generic ext4; do mod $m; done
cat > "$I/init" <<'X'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for m in $(cat /lib/modules/order); do
  case $m in virtio_net) insmod /lib/modules/$m.ko csum=0 gso=0;; *) insmod /lib/modules/$m.ko;; esac 2>/dev/null
done
i=0; while [ ! -b /dev/vda ] && [ $i -lt 50 ]; do sleep 0.2; i=$((i+1)); done
mount -t ext4 -o rw /dev/vda /root || { echo "no root file system on /dev/vda"; ls /dev; exec sh; }
mount --move /dev /root/dev; mount --move /proc /root/proc; mount --move /sys /root/sys
exec switch_root /root /sbin/init
X
chmod 755 "$I/init"
(cd "$I" && find . | cpio -o -H newc 2>/dev/null | gzip -9) > cloudinit-initrd.gz
rm -f cloudinit.raw; truncate -s 900M cloudinit.raw
mkfs.ext4 -q -F -m 0 -O ^has_journal,^metadata_csum,^64bit -d "$R" cloudinit.raw
# qemu-img of the hosts' root file system, in a mount namespace of its own
unshare -m bash -c "mkdir -p $BASE/mnt && mount --bind $G $BASE/mnt && chroot $BASE qemu-img convert -c -f raw -O qcow2 /mnt/cloudinit.raw /mnt/cloudinit.qcow2.new"
mv cloudinit.qcow2.new cloudinit.qcow2
echo "root $(du -sm "$R" | cut -f1) MB, image $(du -sm cloudinit.qcow2 | cut -f1) MB"
rm -rf cloudinit.raw "$R" "$I"
