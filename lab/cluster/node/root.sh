#!/bin/bash
# root.sh N: pid 1 of node N: puts its root file system together and hands over to systemd. Every mount happens in the
# node's own mount namespace, so all of them disappear with its last process.
set -euo pipefail
. "$(dirname "$0")/../env.sh"
n=$1; D=$RUN/node$n; R=$D/root
hostname "node$n"
mkdir -p "$D"/{upper,work,root,containerd,kubelet,local} "$RUN/import"
mount -t overlay "lab-node$n" -o "lowerdir=$CACHE/rootfs/$(cat "$D/rootfs"),upperdir=$D/upper,workdir=$D/work" "$R"
# Outside the overlay: containerd makes overlays of its own, which cannot lie on an overlay.
mkdir -p "$R"/var/lib/{containerd,kubelet} "$R/opt/k8s/bin" "$R/opt/local-path-provisioner" "$R/opt/import"
mount --bind "$D/containerd" "$R/var/lib/containerd"
mount --bind "$D/kubelet" "$R/var/lib/kubelet"
mount --bind "$D/local" "$R/opt/local-path-provisioner"
mount --bind "$RUN/bin" "$R/opt/k8s/bin"; mount -o remount,bind,ro "$R/opt/k8s/bin"
mount --bind "$RUN/import" "$R/opt/import"; mount -o remount,bind,ro "$R/opt/import"
[ ! -d "/lib/modules/$(uname -r)" ] || { mkdir -p "$R/lib/modules"; mount --bind /lib/modules "$R/lib/modules"; mount -o remount,bind,ro "$R/lib/modules"; }
mount -t proc proc "$R/proc"
mount -t sysfs sysfs "$R/sys"
if cgroup_v2; then
  mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$R/sys/fs/cgroup"
  for c in $V1; do
    [ -d "/sys/fs/cgroup/$c" ] || continue
    mkdir "$R/sys/fs/cgroup/$c"
    case $c in
      systemd) mount -t cgroup -o none,name=systemd cgroup "$R/sys/fs/cgroup/systemd" ;;
      unified) mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup/unified" ;;
      *) mount -t cgroup -o "$c" cgroup "$R/sys/fs/cgroup/$c" ;;
    esac
  done
fi
mount -t tmpfs -o mode=755 tmpfs "$R/dev"
for d in null zero full random urandom tty kmsg fuse; do
  [ ! -e /dev/$d ] || { touch "$R/dev/$d"; mount --bind /dev/$d "$R/dev/$d"; }
done
mkdir -p "$R"/dev/{pts,shm,mqueue,net,disk/by-id}
loop=$(cat "$D/loop")
mknod -m 660 "$R$loop" b $((0x$(stat -c %t "$loop"))) $((0x$(stat -c %T "$loop")))
ln -s "../..${loop#/dev}" "$R/dev/disk/by-id/lab-nvme-node$n"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"; ln -s /proc/self/fd "$R/dev/fd"; ln -s /proc/self/fd/0 "$R/dev/stdin"; ln -s /proc/self/fd/1 "$R/dev/stdout"; ln -s /proc/self/fd/2 "$R/dev/stderr"
mount -t tmpfs tmpfs "$R/dev/shm"; mount -t mqueue mqueue "$R/dev/mqueue"
mount -t tmpfs -o mode=755 tmpfs "$R/run"; mkdir "$R/run/lock"
mount -t tmpfs tmpfs "$R/tmp"
cd "$R"; mkdir -p .old; pivot_root . .old
mount --make-rprivate /
umount -l /.old
mount --make-rshared / # kubelet and local volumes need shared mounts
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 || true # both are per network namespace
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console --log-level=info --show-status=no
