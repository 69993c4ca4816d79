# shellcheck shell=bash disable=SC2034 # the names are for the scripts that source it
# Sourced by every script of the cluster: addresses, names, and how processes are recorded and found again.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
CLUSTER=$LAB/cluster
NODES="1 2 3$(cat "$RUN/nodes.more" 2>/dev/null || true)"   # those of the start, and what more.sh has added (" 4 5")
NET=10.77.0            # the "data centre" network: .1 this machine, .10 control plane, .11-.19 nodes, the rest free for load balancers
CP=$NET.10
SVC=10.96.0.0/16
DNS=10.96.0.10
DISK=10G               # the blank disk of each node (sparse: takes only what is written)
node_ip() { echo "$NET.1$1"; }
POD_PREFIX=10.244
pod_net() { echo "$POD_PREFIX.$1.0/24"; }
PKI=$RUN/pki
export KUBECONFIG=$PKI/admin.conf
kubectl() { "$BIN/kubectl" "$@"; }

# SSH as any deployment tool would do it: with the known host keys and no questions.
sshn() { local n=$1; shift; ssh -i "$PKI/id" -o UserKnownHostsFile="$PKI/known_hosts" -o StrictHostKeyChecking=yes -o BatchMode=yes -o ConnectTimeout=3 -o LogLevel=ERROR "root@$(node_ip "$n")" "$@"; }

# A pid alone may by now be another process: a pid file holds "pid starttime" (field 22 of /proc/PID/stat),
# and a process is ours only if both still agree.
starttime() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
record() { echo "$2 $(starttime "$2")" > "$1"; }          # record FILE PID
alive() {                                                  # alive FILE
  local p t; [ -s "$1" ] || return 1
  read -r p t < "$1"; [ -n "${t:-}" ] && [ "$(starttime "$p")" = "$t" ]
}
stop() {                                                   # stop FILE SIGNAL: waits 10 s, then SIGKILL
  local p i
  if alive "$1"; then
    read -r p _ < "$1"; kill "-$2" "$p" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do alive "$1" || break; sleep 0.1; done
    ! alive "$1" || kill -KILL "$p" 2>/dev/null || true
    for ((i = 0; i < 50; i++)); do alive "$1" || break; sleep 0.1; done
  fi
  rm -f "$1"
}
# detached PIDFILE LOG COMMAND...: starts a process of its own session that outlives this script. It must not inherit
# the lab's lock (the lock would be held for as long as the cluster runs).
detached() {
  local file=$1 log=$2; shift 2
  (
    case ${MATRIX_HA_LOCKFD:-} in '' | *[!0-9]*) ;; *) eval "exec $MATRIX_HA_LOCKFD>&-" ;; esac
    exec setsid nohup "$@" > "$log" 2>&1 < /dev/null
  ) &
  record "$file" $!
}
# Control groups: one tree (version 2), or one per controller (version 1 and hybrid). Prints the directories of node N.
cgroup_v2() { [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; }
V1="cpu cpuacct cpuset memory devices freezer blkio pids systemd unified"
cgroup_dirs() {
  if cgroup_v2; then echo "/sys/fs/cgroup/labn$1"; return; fi
  local c; for c in $V1; do [ -d "/sys/fs/cgroup/$c" ] && echo "/sys/fs/cgroup/$c/labn$1"; done
}
# Without a weight of its own a whole node gets the CPU time of one process of this machine: one compiler beside it, and
# probes fail, pods are restarted, and restarting them takes the rest (measured: load 130). Six times the default; with ten
# times, the kernel's own threads behind the nodes' disks had to wait, and each commit with them.
cpu_weight() { # cpu_weight NAME (a node's number, or cp)
  if cgroup_v2; then echo 600 > "$(cpu_group "$1")/cpu.weight"; else echo 6144 > "$(cpu_group "$1")/cpu.shares"; fi
}
cpu_group() { if cgroup_v2; then echo "/sys/fs/cgroup/labn$1"; else echo "/sys/fs/cgroup/cpu/labn$1"; fi; }
