#!/bin/bash
# test.sh: does the running cluster meet the stack's needs? Makes a namespace lab-test and removes it again.
set -uo pipefail
. "$(dirname "$0")/env.sh"
pass=0 fail=0
t() { # title command...
  local title=$1 s out; shift; s=$(now)
  if out=$("$@" 2>&1); then pass=$((pass + 1)); say "ok   $title ($(took "$s") s)"; else fail=$((fail + 1)); say "FAIL $title"; tail -5 <<< "$out" | sed 's/^/       /'; fi
}
K() { kubectl -n lab-test "$@"; }
clean() { kubectl delete ns lab-test --ignore-not-found --wait=true > /dev/null 2>&1; kubectl delete storageclass lab-test --ignore-not-found > /dev/null 2>&1; }
trap clean EXIT; clean
nodes_ready() { [ "$(kubectl get nodes --no-headers | grep -c ' Ready ')" = "$(wc -w <<< "$NODES")" ]; }
versions() { kubectl get nodes -o jsonpath='{.items[*].status.nodeInfo.kubeletVersion}' | tr ' ' '\n' | sort -u | grep -qx v1.36.4; }
images_in() { local n=$1 im dg have; have=$(sshn "$n" 'ctr -n k8s.io images ls 2> /dev/null' < /dev/null | awk '{print $1, $3}'); while IFS=$'\t' read -r im _ dg; do grep -qxF "$im $dg" <<< "$have" || { echo "node$n lacks $im"; return 1; }; done < "$CACHE/images/index.tsv"; }
disk() { # a file system on the blank disk: made, mounted, unmounted, and the disk blank again
  sshn "$1" "set -e; d=/dev/disk/by-id/lab-nvme-node$1; test -b \$d; blkid -p \$d && { echo 'not blank (in use): left alone'; exit 0; }
    mkfs.xfs -q \$d; mkdir -p /mnt/t; mount \$d /mnt/t; touch /mnt/t/x; umount /mnt/t; rmdir /mnt/t; wipefs -qa \$d; blkdiscard -f \$d" < /dev/null
}
tools() { sshn "$1" 'for c in sysctl modprobe mkfs.xfs mkfs.ext4 nft chronyc curl lsblk blkid systemctl iptables; do command -v $c > /dev/null || { echo "no $c"; exit 1; }; done; sysctl -n net.ipv4.ip_forward; modprobe br_netfilter && modprobe overlay' < /dev/null; }
t "all nodes Ready" nodes_ready
t "Kubernetes 1.36.4 on all" versions
for n in $NODES; do t "ssh to node$n with its known host key, tools of host preparation" tools "$n"; done
for n in $NODES; do t "blank disk /dev/disk/by-id/lab-nvme-node$n" disk "$n"; done
for n in $NODES; do t "all images in node$n" images_in "$n"; done
kubectl apply -f - > /dev/null <<'Y'
apiVersion: v1
kind: Namespace
metadata: {name: lab-test}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: lab-test}
provisioner: rancher.io/local-path
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web, namespace: lab-test}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: localhost/matrix-ha/base:1
        imagePullPolicy: Never
        command: [sh, -c, "while :; do printf 'HTTP/1.0 200 OK\\r\\n\\r\\n%s\\n' \"$HOSTNAME\" | nc -l -N -p 8080 > /dev/null; done"]
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 2}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: lab-test}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31999}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: lab-test}
spec: {storageClassName: lab-test, accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: data, namespace: lab-test}
spec:
  terminationGracePeriodSeconds: 0
  securityContext: {runAsUser: 1000, fsGroup: 1000}
  containers:
  - {name: c, image: "localhost/matrix-ha/base:1", imagePullPolicy: Never, command: [sh, -c, "echo written > /data/x && sleep 1000"], volumeMounts: [{name: d, mountPath: /data}]}
  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
Y
t "a pod on each node" K rollout status ds/web --timeout=90s
mapfile -t pods < <(K get pods -l app=web -o name); mapfile -t ips < <(K get pods -l app=web -o jsonpath='{range .items[*]}{.status.podIP}{"\n"}{end}')
try() { local i; for ((i = 0; i < 10; i++)); do "$@" && return 0; sleep 0.5; done; return 1; } # the one-request server is between two requests at times
for p in "${pods[@]}"; do
  for ip in "${ips[@]}"; do t "${p#pod/} reaches $ip" try K exec "$p" -- curl -sf -m 3 "http://$ip:8080/"; done
  t "${p#pod/} resolves and reaches the service" try K exec "$p" -- curl -sf -m 3 http://web.lab-test.svc.cluster.local/
done
for n in $NODES; do t "node port of node$n from this machine" try curl -sf -m 3 --noproxy '*' "http://$(node_ip "$n"):31999/"; done
t "a volume of rancher.io/local-path" K wait pod/data --for=condition=Ready --timeout=90s
t "a non-root pod has written to it" K exec data -- grep written /data/x
t "kubelet's log endpoint (serving certificate of the cluster's CA)" K logs "${pods[0]}"
say "$pass passed, $fail failed"
[ $fail = 0 ]
