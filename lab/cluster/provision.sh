#!/bin/bash
# provision.sh: over SSH, as a deployment tool would: configuration and systemd units of containerd, kubelet and
# kube-proxy. A node that has them already (same content) is left alone.
set -euo pipefail
. "$(dirname "$0")/env.sh"
one() {
  local n=$1 T; T=$(mktemp -d "$RUN/provision.XXXX")
  mkdir -p "$T"/etc/{kubernetes,containerd,cni/net.d,systemd/system}
  cp "$PKI/ca.crt" "$T/etc/kubernetes/"; cp "$PKI/node$n.conf" "$T/etc/kubernetes/kubelet.conf"; cp "$PKI/proxy.conf" "$T/etc/kubernetes/proxy.conf"
  cp "$PKI/node$n.crt" "$T/etc/kubernetes/kubelet.crt"; cp "$PKI/node$n.key" "$T/etc/kubernetes/kubelet.key"
  # restrict_oom_score_adj (and oomScoreAdj 0 below): where even root may not lower the score (no CAP_SYS_RESOURCE, as in
  # many virtual machines and containers), runc otherwise dies with "can't get final child's PID from pipe: EOF".
  # no_sync: a lab's containers need not survive a power cut; three containerds made two thirds of all commits of the shared
  # disk, and each commit of PostgreSQL waited behind them.
  cat > "$T/etc/containerd/config.toml" <<Y
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[plugins.'io.containerd.metadata.v1.bolt']
  no_sync = true
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "localhost/matrix-ha/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/opt/k8s/bin/cni"]
    conf_dir = "/etc/cni/net.d"
Y
  cat > "$T/etc/cni/net.d/10-lab.conflist" <<Y
{"cniVersion":"1.0.0","name":"lab","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"hairpinMode":true,"promiscMode":false,
  "ipam":{"type":"host-local","ranges":[[{"subnet":"$(pod_net "$n")"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
Y
  # failCgroupV1: kubelet 1.36 refuses version 1 unless told. imageGCHighThresholdPercent 100: nothing could pull a
  # collected image again. resolvConf: the empty file of the node.
  cat > "$T/etc/kubernetes/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /etc/kubernetes/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: /etc/kubernetes/kubelet.crt
tlsPrivateKeyFile: /etc/kubernetes/kubelet.key
clusterDomain: cluster.local
clusterDNS: [$DNS]
resolvConf: /etc/resolv.conf
failSwapOn: false
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
imageGCHighThresholdPercent: 100
maxPods: 60
nodeStatusUpdateFrequency: 5s
serializeImagePulls: false
oomScoreAdj: 0
Y
  # conntrack 0: kube-proxy may not write nf_conntrack_max from inside a network namespace.
  cat > "$T/etc/kubernetes/proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: /etc/kubernetes/proxy.conf}
mode: iptables
clusterCIDR: $POD_PREFIX.0.0/16
hostnameOverride: node$n
conntrack: {maxPerCore: 0, min: 0}
oomScoreAdj: 0
Y
  unit() { # name after command
    printf '[Unit]\nAfter=network.target %s\n[Service]\nExecStart=%s\nRestart=always\nRestartSec=2\nDelegate=yes\nKillMode=process\nLimitNOFILE=1048576\nTasksMax=infinity\nEnvironment=PATH=/opt/k8s/bin:/usr/sbin:/usr/bin:/sbin:/bin\n[Install]\nWantedBy=multi-user.target\n' "$2" "$3" > "$T/etc/systemd/system/$1.service"
  }
  unit containerd "" /opt/k8s/bin/containerd
  unit kubelet containerd.service "/opt/k8s/bin/kubelet --config=/etc/kubernetes/kubelet.yaml --kubeconfig=/etc/kubernetes/kubelet.conf --hostname-override=node$n --node-ip=$(node_ip "$n") --v=2"
  unit kube-proxy "" "/opt/k8s/bin/kube-proxy --config=/etc/kubernetes/proxy.yaml --v=1"
  local k; k=$(cd "$T" && find etc -type f | sort | xargs sha256sum | sha256sum | cut -c1-16)
  if [ "$(sshn "$n" 'cat /etc/kubernetes/.provisioned 2>/dev/null; systemctl is-active containerd kube-proxy kubelet' < /dev/null | tr '\n' ' ')" != "$k active active active " ]; then
    tar -C "$T" -cf - etc | sshn "$n" 'tar -C / --no-same-owner -xf - && ln -sfn /opt/k8s/bin/ctr /usr/local/bin/ctr && systemctl daemon-reload && systemctl enable -q containerd kube-proxy kubelet && systemctl restart containerd kube-proxy && for i in $(seq 50); do [ -S /run/containerd/containerd.sock ] && break; sleep 0.1; done'
    # The sandbox image must be there before kubelet starts its first pod.
    "$LAB/images/import.sh" --node "$n" pause > /dev/null
    sshn "$n" "systemctl restart kubelet && echo $k > /etc/kubernetes/.provisioned"
    say "        node$n provisioned"
  fi
  rm -rf "$T"
}
pids=(); for n in $NODES; do one "$n" & pids+=($!); done
for p in "${pids[@]}"; do wait "$p"; done # plain "wait" would forget a failure
