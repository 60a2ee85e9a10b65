#!/bin/bash
# systemd_boot.sh NEW STAGE: becomes a systemd that manages a machine of its own.
#
# To be run as PID 1 of new name spaces (pid, mount, uts, ipc, cgroup, net). The machine sees this one's files
# through an overlay at NEW whose upper side is memory, with the files of STAGE on top; nothing it does stays.
set -euo pipefail
new=$1
stage=$2

mount --make-rprivate /
mount -t tmpfs tmpfs "$new"
mkdir "$new/upper" "$new/work" "$new/root"
root=$new/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$new/upper,workdir=$new/work" "$root"
cp -a "$stage/." "$root/"

# /proc/sys is read-only: systemd would set this whole machine's sysctls by it.
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for directory in run tmp dev; do
    mount -t tmpfs -o mode=755 tmpfs "$root/$directory"
done
chmod 1777 "$root/tmp"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"

# A target of our own, so that nothing else of this machine's services is started.
mkdir -p "$root/etc/systemd/system"
printf '[Unit]\nDescription=Test machine\nAllowIsolate=yes\nRequires=dbus.socket systemd-journald.socket\n' \
    >"$root/etc/systemd/system/vigil-test.target"

cd "$root"
mkdir -p old
pivot_root . old
umount -l /old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --unit=vigil-test.target --show-status=0
