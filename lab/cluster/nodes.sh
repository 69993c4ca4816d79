#!/bin/bash
# nodes.sh up|down [nodes]: starts / stops the nodes: bare Debian with systemd and sshd, nothing of Kubernetes yet.
set -euo pipefail
. "$(dirname "$0")/env.sh"
all=$NODES NODES=${2:-$NODES}
prepare() {
  local n=$1 D=$RUN/node$1 U=$RUN/node$1/upper m
  mkdir -p "$U/root/.ssh" "$U/etc/ssh" "$D"; chmod 700 "$U/root" "$U/root/.ssh"
  # A node keeps the base system that it was made on, also when it is started again after a change of rootfs.sh.
  [ -e "$D/rootfs" ] || readlink "$CACHE/rootfs/current" > "$D/rootfs"
  [ -e "$D/containerd" ] || "$LAB/images/store.sh" "$D/containerd"
  cp "$PKI/id.pub" "$U/root/.ssh/authorized_keys"
  install -m 600 "$PKI/node${n}_host" "$U/etc/ssh/ssh_host_ed25519_key"; install -m 644 "$PKI/node${n}_host.pub" "$U/etc/ssh/ssh_host_ed25519_key.pub"
  echo "node$n" > "$U/etc/hostname"
  { echo 127.0.0.1 localhost; for m in $all; do echo "$(node_ip "$m") node$m"; done; echo "$CP lab-cp"; } > "$U/etc/hosts"
  rm -f "$U/etc/resolv.conf"; : > "$U/etc/resolv.conf"       # no upstream DNS: the nodes have no way out
  printf 'lab-node-%s' "$n" | md5sum | cut -c1-32 > "$U/etc/machine-id"
  # The kernel is the host's. Where the host has no /lib/modules (everything built in), modprobe in the node would fail
  # even for what is there: list the built-in ones so that "modprobe br_netfilter" does what it does on a real server.
  # (In usr/lib: a directory "lib" in the upper layer would hide Debian's link from /lib to /usr/lib.)
  local K; K=lib/modules/$(uname -r)
  if [ ! -d "/$K" ]; then
    mkdir -p "$U/usr/$K"; : > "$U/usr/$K/modules.order"
    { for m in bridge loop nf_conntrack ip_set tcp_cubic; do [ ! -d "/sys/module/$m" ] || echo "kernel/lab/$m.ko"; done
      for m in overlay xfs ext4 fuse; do ! grep -qw "$m" /proc/filesystems || echo "kernel/lab/$m.ko"; done
      [ ! -d /proc/sys/net/bridge ] || echo kernel/lab/br_netfilter.ko
      ! grep -qw bbr /proc/sys/net/ipv4/tcp_available_congestion_control || echo kernel/lab/tcp_bbr.ko; } | sort -u > "$U/usr/$K/modules.builtin"
  fi
  # The blank disk: a sparse file behind a loop device, seen in the node as /dev/disk/by-id/lab-nvme-nodeN.
  [ -e "$D/disk.img" ] || truncate -s "$DISK" "$D/disk.img"
  local l; l=$(losetup -j "$D/disk.img" -O NAME -n | head -1)
  [ -n "$l" ] || l=$(losetup --show -f "$D/disk.img")
  echo "$l" > "$D/loop"
}
case $1 in
up)
  new=()
  for n in $NODES; do
    if alive "$RUN/node$n/pid"; then continue; fi
    prepare "$n"; new+=("$n")
    detached "$RUN/node$n/pid" "$RUN/node$n/console.log" bash "$CLUSTER/node/start.sh" "$n"
  done
  for n in $NODES; do
    for ((i = 0; i < 150; i++)); do sshn "$n" true 2> /dev/null && break; sleep 0.2; done
    state=$(sshn "$n" 'systemctl is-system-running --wait' || true)
    [ "$state" = running ] || { say "        node$n: systemd says '${state:-no answer}'"; sshn "$n" 'systemctl --failed --no-legend' || { tail -5 "$RUN/node$n/console.log"; die "node$n does not answer on SSH"; }; }
  done
  # modprobe reads an index that depmod makes of the list above.
  for n in "${new[@]}"; do sshn "$n" "[ -e /lib/modules/\$(uname -r)/modules.builtin.bin ] || depmod"; done
  say "        nodes: $(wc -w <<< "$NODES") answer on SSH, ${#new[@]} started now" ;;
down)
  # SIGKILL to "unshare --kill-child": it takes the node's pid 1 along, and with it the kernel ends every process of the
  # node's pid namespace. A graceful stop would only be for data that is deleted the next moment.
  for n in $NODES; do stop "$RUN/node$n/pid" KILL; done
  for n in $NODES; do
    for ((i = 0; i < 100; i++)); do
      left=0
      for d in $(cgroup_dirs "$n"); do [ ! -d "$d" ] || { find "$d" -depth -type d -exec rmdir {} + 2>/dev/null || true; [ ! -d "$d" ] || left=1; }; done
      [ $left = 1 ] || break; sleep 0.1
    done
    # Loop devices free themselves only when the last mount is gone, and that is when the last process is.
    if [ -e "$RUN/node$n/disk.img" ]; then for l in $(losetup -j "$RUN/node$n/disk.img" -O NAME -n); do losetup -d "$l"; done; fi
  done ;;
*) die "usage: nodes.sh up|down [nodes]" ;;
esac
