#!/bin/busybox sh
# Stage 1, in the initramfs: the root is an overlay of a tmpfs over the host's tree, which is only read. A fork costs
# 10 to 25 ms here, so each step does as much as it can in one process.
B=/bin/busybox
die() { echo "skep-vm: $*" >/dev/console; $B poweroff -f; }
. /skep/conf
$B mount -a -T /skep/mounts.1
$B modprobe -a $MODULES || die "no modules $MODULES"
$B mkdir -p /ov/upper /ov/work /ov/host /ov/root /dev/pts /dev/shm
$B mount -a -T /skep/mounts.2 || die "the host's files are not there (virtiofs, overlay)"
$B mkdir -p "/ov/root/lib/modules/$RELEASE"
$B mount -a -T /skep/mounts.3 || echo "skep-vm: not everything could be mounted" >/dev/console
$B cp -a /new/. /ov/root/
exec $B switch_root /ov/root /run/skep-vm/busybox sh /run/skep-vm/run.sh
