#!/bin/bash
# net.sh up|down [nodes]: the network (down with names: only their part). A bridge in a namespace of its own (lab-sw), so that neither a firewall nor Docker's
# FORWARD rules of this machine can touch the cluster, and nothing of this machine's iptables needs changing.
# This machine is 10.77.0.1 (veth lab0), the control plane lab-cp .10, the nodes lab-n1..3 .11-.13.
# Every line may be repeated: after a crash half-way the next run adds what is missing.
set -euo pipefail
. "$(dirname "$0")/env.sh"
if [ "$1" = down ]; then
  for n in ${2:-$NODES}; do ip netns del "lab-n$n" 2>/dev/null || true; ip route del "$(pod_net "$n")" 2>/dev/null || true; done
  [ -z "${2:-}" ] || exit 0
  ip link del lab0 2>/dev/null || true
  for ns in lab-cp lab-sw; do ip netns del "$ns" 2>/dev/null || true; done
  if [ -e "$RUN/netns.mount" ] && [ -z "$(ls -A /run/netns 2>/dev/null)" ]; then umount /run/netns 2>/dev/null || true; rmdir /run/netns 2>/dev/null || true; fi
  exit 0
fi
# The first "ip netns add" on a machine leaves a mount on /run/netns: remember whether it was there before.
mountpoint -q /run/netns || : > "$RUN/netns.mount"
ns() { ip netns list | grep -qw -- "$1" || ip netns add "$1"; ip -n "$1" link set lo up; }
port() { # namespace ("" = this machine) interface address name-at-the-switch
  local in=(); [ -z "$1" ] || in=(-n "$1")
  if ! ip "${in[@]}" link show "$2" > /dev/null 2>&1 || ! ip -n lab-sw link show "$4" > /dev/null 2>&1; then
    ip -n lab-sw link del "$4" 2>/dev/null || true
    ip link add "$4" netns lab-sw type veth peer name "$2" ${1:+netns "$1"}
  fi
  ip -n lab-sw link set "$4" master br0 up
  ip "${in[@]}" addr replace "$3/24" dev "$2"; ip "${in[@]}" link set "$2" up
}
ns lab-sw
ip -n lab-sw link show br0 > /dev/null 2>&1 || ip -n lab-sw link add br0 type bridge
ip -n lab-sw link set br0 up
port "" lab0 "$NET.1" p-root
ns lab-cp; port lab-cp eth0 "$CP" p-cp
for n in $NODES; do ns "lab-n$n"; port "lab-n$n" eth0 "$(node_ip "$n")" "p-n$n"; done
for n in $NODES; do
  ip route replace "$(pod_net "$n")" via "$(node_ip "$n")"            # this machine -> pods
  ip -n lab-cp route replace "$(pod_net "$n")" via "$(node_ip "$n")"  # API server -> webhooks, which are pods
  for m in $NODES; do [ "$m" = "$n" ] || ip -n "lab-n$n" route replace "$(pod_net "$m")" via "$(node_ip "$m")"; done
  ip -n "lab-n$n" route replace default via "$NET.1"                  # kubelet and kube-proxy want a default route; it leads nowhere
done
ip -n lab-cp route replace default via "$NET.1"
