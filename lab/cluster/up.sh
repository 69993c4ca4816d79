#!/bin/bash
# up.sh [--bare]: from any state to a running cluster with all images in the nodes. Every step does only what is
# missing, so it also continues after a crash. --bare: only the cluster's own images (DNS, volumes).
set -euo pipefail
. "$(dirname "$0")/env.sh"
own=(pause coredns local-path-provisioner base); which=()
case ${1:-} in "") ;; --bare) which=("${own[@]}") ;; *) die "usage: up.sh [--bare]" ;; esac
lock
t0=$(now); i=0; N=11
step() { # title command...
  local s title=$1; s=$(now); shift; i=$((i + 1)); say "[$i/$N] $title"
  "$@"
  say "[$i/$N] done in $(took "$s") s"
}
# Settings of the whole machine that kubelet, or preparing a host over SSH in a node, changes (they have no namespaces).
# down.sh puts them back.
sysctls() {
  [ ! -e "$RUN/sysctl.old" ] || return 0
  ( cd /proc/sys
    for f in vm/* fs/inotify/* fs/aio-max-nr fs/file-max fs/nr_open kernel/panic kernel/panic_on_oops kernel/keys/* kernel/pid_max kernel/threads-max kernel/sched_* kernel/numa_balancing; do
      case $f in vm/drop_caches | vm/compact_memory | vm/stat_refresh) continue ;; esac
      [ -f "$f" ] && [ -w "$f" ] && v=$(cat "$f" 2>/dev/null) && [ -n "$v" ] && echo "$f $v"
    done; true ) > "$RUN/sysctl.tmp"
  mv "$RUN/sysctl.tmp" "$RUN/sysctl.old"
}
machine() {
  sysctls
  rm -rf "$RUN"/import/pack.* "$RUN"/provision.* # of a run that was killed
  # 128 is too few for three times systemd, containerd and kubelet.
  [ "$(cat /proc/sys/fs/inotify/max_user_instances)" -ge 1024 ] || echo 1024 > /proc/sys/fs/inotify/max_user_instances
  # The nodes see hard links of the programs, at $RUN/bin: a later build does not change what runs.
  mkdir -p "$RUN/bin/cni"
  local p d
  for p in hyperkube etcd containerd containerd-shim-runc-v2 ctr bridge loopback host-local portmap; do
    d=$RUN/bin; case $p in bridge | loopback | host-local | portmap) d=$RUN/bin/cni ;; esac
    cmp -s "$BIN/$p" "$d/$p" && continue
    [ ! -e "$d/$p" ] || say "        note: $p has changed; running processes keep the old one until down.sh and up.sh"
    ln -fL "$BIN/$p" "$d/$p" 2>/dev/null || cp -L --remove-destination "$BIN/$p" "$d/$p"
  done
  for p in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do ln -sfn hyperkube "$RUN/bin/$p"; done
}
ready() {
  local k
  for ((k = 0; k < 480; k++)); do [ "$(kubectl get nodes --no-headers 2>/dev/null | grep -c ' Ready ')" = "$(wc -w <<< "$NODES")" ] && break; sleep 0.25; done
  [ "$k" -lt 480 ] || { kubectl get nodes; die "the nodes are not Ready after 120 s (see journalctl -u kubelet in a node)"; }
  kubectl apply -f "$CLUSTER/manifests/coredns.yaml" -f "$CLUSTER/manifests/local-path.yaml" > /dev/null
  kubectl -n kube-system rollout status deploy/coredns --timeout=120s > /dev/null
  kubectl -n local-path-storage rollout status deploy/local-path-provisioner --timeout=120s > /dev/null
}
step "prerequisites" "$CLUSTER/prerequisites.sh"
if [ ${#which[@]} -gt 0 ]; then
  step "programs (about 6 min on 2 cores when nothing is cached)" "$LAB/build.sh" kubernetes node base
else
  step "programs (about 15 min on 2 cores when nothing is cached)" "$LAB/build.sh"
fi
step "the nodes' operating system (about 40 s when not cached)" "$CLUSTER/rootfs.sh"
step "images (about 2 min when nothing is cached)" "$LAB/images/build.sh" "${which[@]}"
step "certificates and SSH keys" "$CLUSTER/pki.sh"
step "network and machine settings" eval 'machine; "$CLUSTER/net.sh" up'
step "nodes (about 6 s; 50 s more where their images were never unpacked)" "$CLUSTER/nodes.sh" up
step "control plane (about 5 s)" "$CLUSTER/controlplane.sh" up
step "containerd, kubelet and images in the nodes (about 15 s)" eval '"$CLUSTER/provision.sh"; "$LAB/images/import.sh" "${which[@]}"'
step "nodes Ready, DNS, volumes (about 10 s)" ready
step "network policies enforced (about 5 s)" "$CLUSTER/netpol.sh" up
kubectl get nodes -o wide
say "cluster up in $(took "$t0") s"
say "export KUBECONFIG=$KUBECONFIG   # kubectl: $BIN/kubectl; ssh: ssh -i $PKI/id -o UserKnownHostsFile=$PKI/known_hosts root@$(node_ip 1)"
