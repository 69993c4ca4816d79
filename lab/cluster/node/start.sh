#!/bin/bash
# start.sh N: becomes node N: enters its own control groups and network namespace, then new mount, UTS, IPC, PID and
# cgroup namespaces. Without control groups of its own, three kubelets would share /kubepods and delete each other's pods.
set -euo pipefail
. "$(dirname "$0")/../env.sh"
n=$1
if cgroup_v2; then
  # The controllers must be handed down before a child can use them.
  for c in cpu cpuset io memory pids hugetlb; do echo "+$c" > /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true; done
fi
for d in $(cgroup_dirs "$n"); do
  mkdir -p "$d"
  if [ -e "$d/cpuset.cpus" ] && ! cgroup_v2; then # version 1: a new cpuset is empty and accepts no process
    cat /sys/fs/cgroup/cpuset/cpuset.cpus > "$d/cpuset.cpus"; cat /sys/fs/cgroup/cpuset/cpuset.mems > "$d/cpuset.mems"
    echo 1 > "$d/cgroup.clone_children"
  fi
  echo $$ > "$d/cgroup.procs"
done
cpu_weight "$n"
exec nsenter --net="/run/netns/lab-n$n" unshare --mount --uts --ipc --pid --cgroup --fork --kill-child=SIGKILL \
  --propagation private bash "$CLUSTER/node/root.sh" "$n"
