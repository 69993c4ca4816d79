# shellcheck shell=bash
# A snapshot holds every Secret of the cluster: for root only.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"
umask 077
. ./etcdMetric.sh
trap tell EXIT

ca="" cert="" key=""
certificate() { if [ -z "$ca" ] && [ -r "$1" ] && [ -r "$2" ] && [ -r "$3" ]; then ca=$1 cert=$2 key=$3; fi; }
# @CALLS@
[ -n "$ca" ] || { echo "no certificate for etcd on this host: etcd runs elsewhere, and is saved there or not at all" >&2; exit 3; }

mkdir -p @DIRECTORY@
chmod 700 @DIRECTORY@
name=@DIRECTORY@/etcd-$(date -u +%Y%m%dT%H%M%SZ).db
options=(--endpoints=https://127.0.0.1:2379 "--cacert=$ca" "--cert=$cert" "--key=$key" --command-timeout=120s)
if command -v etcdctl >/dev/null 2>&1; then
  ETCDCTL_API=3 etcdctl "${options[@]}" snapshot save "$name.part" >/dev/null
elif command -v crictl >/dev/null 2>&1; then
  # kubeadm's etcd runs in a pod with its data and its certificates at the same paths as here.
  pod=$(crictl ps --name '^etcd$' --state Running -q | head -n 1)
  [ -n "$pod" ] || { echo "no etcd runs in a pod of this host, and there is no etcdctl" >&2; exit 4; }
  rm -f /var/lib/etcd/matrix-ha.part
  crictl exec "$pod" etcdctl "${options[@]}" snapshot save /var/lib/etcd/matrix-ha.part >/dev/null
  mv /var/lib/etcd/matrix-ha.part "$name.part"
else
  echo "neither etcdctl nor crictl is on this host" >&2
  exit 4
fi
[ -s "$name.part" ] || { echo "etcd's snapshot is empty" >&2; exit 5; }
mv "$name.part" "$name"
kept=@KEPT@
find @DIRECTORY@ -maxdepth 1 -name 'etcd-*.db' -printf '%f\n' | sort -r | tail -n "+$((kept + 1))" | while read -r old; do rm -f "@DIRECTORY@/$old"; done
find @DIRECTORY@ -maxdepth 1 -name '*.part' -mmin +60 -delete
