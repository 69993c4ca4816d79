# shellcheck shell=bash
. ./preamble.sh

before=$changed
put @ROOT@/etc/matrix-ha/etcd.sh <<'FILE'
# @SCRIPT@
FILE
put @ROOT@/etc/systemd/system/matrix-ha-etcd.service <<'FILE'
[Unit]
Description=matrix-ha: snapshots of etcd

[Service]
Type=oneshot
Nice=10
IOSchedulingClass=idle
ExecStart=/bin/bash @ROOT@/etc/matrix-ha/etcd.sh
FILE
put @ROOT@/etc/systemd/system/matrix-ha-etcd.timer <<'FILE'
[Unit]
Description=matrix-ha: snapshots of etcd

[Timer]
OnCalendar=@CALENDAR@
RandomizedDelaySec=15m
Persistent=true

[Install]
WantedBy=timers.target
FILE
if [ "$changed" != "$before" ]; then systemctl daemon-reload; fi
if ! systemctl is-enabled --quiet matrix-ha-etcd.timer 2>/dev/null || ! systemctl is-active --quiet matrix-ha-etcd.timer; then
  systemctl enable --now matrix-ha-etcd.timer >/dev/null 2>&1
  change "started matrix-ha-etcd.timer"
fi
# Once now: a backup that nobody has tried is none. It is no reason to stop, and the alert EtcdSnapshotOld repeats it.
if [ "$changed" != "$before" ]; then
  if said=$(bash @ROOT@/etc/matrix-ha/etcd.sh 2>&1) && [ -n "$(find @DIRECTORY@ -maxdepth 1 -type f 2>/dev/null | head -n 1)" ]; then
    change "a snapshot of etcd is in @DIRECTORY@"
  else
    printf 'matrix-ha: WARNING: etcd is not saved on this host. %s\n' "${said:-@HINT@}" >&2
  fi
fi

echo "etcd: ${changed:-nothing changed}"
