#!/bin/bash
# rootfs.sh: the nodes' operating system: Debian 12 packages, unpacked once; the lower layer of every node's overlay.
# Debian 12 and not newer: from Debian 13 on systemd refuses the control groups version 1 that many virtual machines have.
set -euo pipefail
. "$(dirname "$0")/env.sh"
lock
# What a node needs for Kubernetes, and what preparing a host over SSH needs (chrony, nftables, xfsprogs, ...).
PACKAGES=openssh-server,systemd,systemd-sysv,dbus,iproute2,iptables,nftables,ebtables,ipset,conntrack,runc,socat,ethtool,iputils-ping,kmod,procps,util-linux,mount,e2fsprogs,xfsprogs,gdisk,parted,chrony,curl,ca-certificates,logrotate,netcat-openbsd,tzdata
OUT=$CACHE/rootfs/$(echo "$PACKAGES" | key "$0")
if [ ! -e "$OUT/.done" ]; then
  say "        building the nodes' Debian 12 (about 40 s) ..."
  s=$(now); mkdir -p "$CACHE/rootfs"; rm -rf "$OUT"; T=$(mktemp -d "$CACHE/rootfs/.tmp.XXXX"); chmod 755 "$T"; R=$T/r
  mapfile -t opts < <(mmdebstrap_options)
  mmdebstrap "${opts[@]}" --quiet --variant=minbase --include="$PACKAGES" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io' \
    bookworm "$T/r.tar" "deb $(debian_mirror) bookworm main"
  mkdir "$R"; tar -C "$R" -xf "$T/r.tar"; rm "$T/r.tar"
  rm -f "$R"/etc/ssh/ssh_host_*     # each node gets the key that pki.sh made for it, so that it is known beforehand
  printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\nUseDNS no\n' > "$R/etc/ssh/sshd_config.d/lab.conf"
  # Units that touch the real machine's hardware, kernel settings or terminals, or wait for devices that never come.
  for u in getty@tty1.service console-getty.service getty.target systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service \
    systemd-logind.service systemd-resolved.service systemd-timesyncd.service systemd-modules-load.service systemd-remount-fs.service systemd-sysctl.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount sys-fs-fuse-connections.mount \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do ln -sfn /dev/null "$R/etc/systemd/system/$u"; done
  ln -sfn /lib/systemd/system/multi-user.target "$R/etc/systemd/system/default.target"
  sed -i 's/^session.*pam_systemd.so.*/# &/' "$R/etc/pam.d/common-session" # without logind it would delay every login
  # chronyd may run, and be configured, but must not steer the one clock that all nodes and this machine share.
  echo 'DAEMON_OPTS="-F 1 -x"' > "$R/etc/default/chrony"
  : > "$R/etc/default/locale" # else every login logs a warning
  mkdir -p "$R/root/.ssh"; chmod 700 "$R/root/.ssh"
  touch "$R/.done"; mv "$R" "$OUT"; rm -rf "$T"
  say "        rootfs: $(took "$s") s, $(du -sm "$OUT" | cut -f1) MB"
fi
ln -sfn "${OUT##*/}" "$CACHE/rootfs/current"
