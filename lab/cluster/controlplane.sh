#!/bin/bash
# controlplane.sh up|down: etcd, API server, controller manager and scheduler as plain processes in namespace lab-cp.
# One of each: the lab tests workloads ON Kubernetes, not the availability of the control plane.
set -euo pipefail
. "$(dirname "$0")/env.sh"
D=$RUN/cp; P=$PKI; mkdir -p "$D"
GROUP=$(cpu_group cp)
if [ "$1" = down ]; then
  for n in scheduler controller-manager apiserver etcd; do stop "$D/$n.pid" TERM; done
  for g in load engine; do rmdir "$(cpu_group "$g")" 2>/dev/null || true; done # lab/local/priority.ts
  for ((i = 0; i < 50; i++)); do rmdir "$GROUP" 2>/dev/null || true; [ -d "$GROUP" ] || break; sleep 0.1; done
  exit 0
fi
mkdir -p "$GROUP"
if cgroup_v2; then echo +cpu > /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true; fi
cpu_weight cp
started=0
start() { # name command...
  local n=$1; shift
  ! alive "$D/$n.pid" || return 0
  detached "$D/$n.pid" "$D/$n.log" bash -c 'echo $$ > "$0/cgroup.procs"; exec nsenter --net=/run/netns/lab-cp "$@"' "$GROUP" "$@"; started=$((started + 1))
}
# --unsafe-no-fsync: a lab's etcd need not survive a power cut, and fsync on a shared disk costs seconds.
start etcd "$RUN/bin/etcd" --name cp --data-dir "$D/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 \
  --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster cp=http://127.0.0.1:2380
# --enable-aggregator-routing: the API server is outside the pods' network and cannot reach service addresses, so it
# must call webhooks and extension servers by pod address.
start apiserver "$RUN/bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --advertise-address="$CP" --bind-address=0.0.0.0 --secure-port=6443 \
  --tls-cert-file="$P/apiserver.crt" --tls-private-key-file="$P/apiserver.key" --client-ca-file="$P/ca.crt" \
  --kubelet-client-certificate="$P/kubelet-client.crt" --kubelet-client-key="$P/kubelet-client.key" --kubelet-certificate-authority="$P/ca.crt" --kubelet-preferred-address-types=InternalIP,Hostname \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local --service-account-key-file="$P/sa.pub" --service-account-signing-key-file="$P/sa.key" \
  --service-cluster-ip-range="$SVC" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
  --requestheader-client-ca-file="$P/ca.crt" --requestheader-allowed-names=front-proxy-client --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --requestheader-group-headers=X-Remote-Group --requestheader-username-headers=X-Remote-User --proxy-client-cert-file="$P/front-proxy.crt" --proxy-client-key-file="$P/front-proxy.key" \
  --enable-aggregator-routing=true --profiling=false --v=1
start controller-manager "$RUN/bin/kube-controller-manager" --kubeconfig="$P/controller-manager.conf" --authentication-kubeconfig="$P/controller-manager.conf" --authorization-kubeconfig="$P/controller-manager.conf" \
  --use-service-account-credentials=true --service-account-private-key-file="$P/sa.key" --root-ca-file="$P/ca.crt" --cluster-signing-cert-file="$P/ca.crt" --cluster-signing-key-file="$P/ca.key" \
  --allocate-node-cidrs=false --cluster-name=lab --leader-elect=false --client-ca-file="$P/ca.crt" --requestheader-client-ca-file="$P/ca.crt" --bind-address=127.0.0.1 --v=1
start scheduler "$RUN/bin/kube-scheduler" --kubeconfig="$P/scheduler.conf" --authentication-kubeconfig="$P/scheduler.conf" --authorization-kubeconfig="$P/scheduler.conf" --leader-elect=false --bind-address=127.0.0.1 --v=1
for ((i = 0; i < 300; i++)); do
  [ "$(kubectl get --raw /readyz 2>/dev/null || true)" != ok ] || { say "        control plane ready, $started of 4 processes started now"; exit 0; }
  sleep 0.2
done
tail -20 "$D/apiserver.log" >&2; die "the API server is not ready after 60 s (log: $D/apiserver.log)"
