#!/bin/bash
# netpol.sh up|down|status: kube-router as the engine that enforces NetworkPolicies, and nothing else of it (no routes, no
# service proxy, no CNI). A unit in each node, not a DaemonSet: it is there before the node's pods are, also after a crash
# of the node, and needs no pod that its own rules could cut off. down: stops it and removes its rules.
set -euo pipefail
. "$(dirname "$0")/env.sh"
up() {
  local n=$1 T; T=$(mktemp -d "$RUN/provision.XXXX"); mkdir -p "$T"/etc/{kubernetes,systemd/system,kube-router/bin}
  cat > "$T/etc/kubernetes/kube-router.conf" <<Y2
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$CP:6443", certificate-authority: /etc/kubernetes/ca.crt}}]
users: [{name: kube-router, user: {token: "$token"}}]
contexts: [{name: c, context: {cluster: c, user: kube-router}}]
current-context: c
Y2
  # kube-router saves the filter table, changes it and restores all of it. In the table that kube-proxy writes as well, one
  # of both would at times undo what the other had just done (a rule "no endpoints: reject" that stays). So it gets the
  # older of the kernel's two packet filters for itself: both see every packet, and one refusal is enough.
  local p; for p in iptables iptables-save; do ln -s /usr/sbin/xtables-legacy-multi "$T/etc/kube-router/bin/$p"; done
  # Each change of a pod makes it rewrite all rules, with some twenty commands and 0.2 s of a core on each node: a third of
  # a core while many pods come and go (measured with three to five nodes, by their control groups). So it pauses after it
  # has written: it applies the first changes at once, and later ones together. A pod that is replaced needs two writes (it
  # has gone; its successor has an address); a third write within 5 s means that more than one pod has changed.
  cat > "$T/etc/kube-router/bin/iptables-restore" <<'Y2'
#!/bin/sh
/usr/sbin/xtables-legacy-multi iptables-restore "$@"; code=$?
state=/run/kube-router.writes count=0 last=0
[ ! -s $state ] || read -r count last < $state
read -r now _ < /proc/uptime; now=${now%.*}
if [ $((now - last)) -le 5 ]; then count=$((count + 1)); else count=1; fi
if [ $count -le 2 ]; then sleep 1; else sleep 3; fi
read -r now _ < /proc/uptime; echo "$count ${now%.*}" > $state
exit $code
Y2
  chmod 755 "$T/etc/kube-router/bin/iptables-restore"
  # kube-router answers with an ICMP refusal, and for the first second or two does so to every new pod, until its sets know
  # it. A program that is refused once gives up or waits long, and Redis spins forever on such a socket. The engines that
  # clusters run (Calico, Cilium) are silent, and TCP asks again: so are these nodes. Refusals for a pod's address (44 bytes
  # into the packet) are kube-router's; those for a Service's, kube-proxy's "no endpoints", stay.
  cat > "$T/etc/kube-router/silence.nft" <<Y2
table ip matrix-ha-lab
delete table ip matrix-ha-lab
table ip matrix-ha-lab {
  chain refusals {
    type filter hook output priority raw;
    icmp type destination-unreachable icmp code port-unreachable @nh,352,16 $(printf '0x%02x%02x' "${POD_PREFIX%.*}" "${POD_PREFIX#*.}") counter drop
  }
}
Y2
  # The range of node ports is made small: traffic from a pod to its own node on these ports is not looked at, and here
  # kube-proxy has rewritten what is meant for a node port before.
  cat > "$T/etc/systemd/system/kube-router.service" <<Y2
[Unit]
After=network.target
[Service]
Environment=PATH=/etc/kube-router/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStartPre=/usr/sbin/nft -f /etc/kube-router/silence.nft
ExecStart=/opt/k8s/bin/kube-router --run-firewall=true --run-router=false --run-service-proxy=false --enable-cni=false --kubeconfig=/etc/kubernetes/kube-router.conf --hostname-override=node$n --service-cluster-ip-range=$SVC --service-node-port-range=32766:32767 --iptables-sync-period=1m --health-port=0 --v=0
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
Y2
  local k; k=$({ cat "$T"/etc/kubernetes/* "$T"/etc/systemd/system/* "$T"/etc/kube-router/silence.nft "$T"/etc/kube-router/bin/iptables-restore; sha256sum < "$RUN/bin/kube-router"; } | sha256sum | cut -c1-16)
  if [ "$(sshn "$n" 'cat /etc/kube-router/.installed 2>/dev/null; systemctl is-active kube-router' < /dev/null | tr '\n' ' ')" != "$k active " ]; then
    chmod 600 "$T/etc/kubernetes/kube-router.conf"
    tar -C "$T" -cf - etc | sshn "$n" 'tar -C / --no-same-owner -xf - && systemctl daemon-reload && systemctl enable -q kube-router && systemctl restart kube-router'
    local i; for ((i = 0; i < 120; i++)); do sshn "$n" 'iptables-legacy -S KUBE-ROUTER-FORWARD > /dev/null 2>&1' < /dev/null && break; sleep 0.5; done
    [ "$i" -lt 120 ] || { sshn "$n" 'journalctl -u kube-router -n 5 --no-pager' < /dev/null >&2; die "kube-router of node$n has written no rules after 60 s"; }
    sshn "$n" "echo $k > /etc/kube-router/.installed" < /dev/null; say "        node$n enforces network policies"
  fi
  rm -rf "$T"
}
# Only what is kube-router's own: its --cleanup-config would also empty the tables of a service proxy.
down() {
  sshn "$1" 'systemctl disable -q --now kube-router 2>/dev/null
    export PATH=/etc/kube-router/bin:$PATH; [ ! -e /etc/kube-router/bin ] || { iptables -F; iptables -X; }
    nft delete table ip matrix-ha-lab 2>/dev/null
    ipset list -n | grep -E "^KUBE-(SRC|DST)-" | while read -r s; do ipset destroy "$s"; done
    rm -rf /etc/kube-router /etc/systemd/system/kube-router.service /etc/kubernetes/kube-router.conf; systemctl daemon-reload' < /dev/null
}
case ${1:-} in
up)
  nodes=${2:-$NODES}
  cmp -s "$BIN/kube-router" "$RUN/bin/kube-router" || ln -fL "$BIN/kube-router" "$RUN/bin/kube-router" 2>/dev/null || cp -L --remove-destination "$BIN/kube-router" "$RUN/bin/kube-router"
  kubectl apply -f "$CLUSTER/manifests/kube-router.yaml" > /dev/null
  token=
  for ((i = 0; i < 100; i++)); do token=$(kubectl -n kube-system get secret kube-router -o jsonpath='{.data.token}' | base64 -d); [ -z "$token" ] || break; sleep 0.2; done
  [ -n "$token" ] || die "no token for kube-router after 20 s"
  for n in $nodes; do up "$n"; done ;;
down) for n in ${2:-$NODES}; do down "$n"; done; [ -n "${2:-}" ] || kubectl delete -f "$CLUSTER/manifests/kube-router.yaml" --ignore-not-found > /dev/null ;;
status) for n in $NODES; do echo "node$n: $(sshn "$n" 'systemctl is-active kube-router; iptables-legacy -S | wc -l; ipset list -n | wc -l' < /dev/null | tr '\n' ' ')"; done ;;
*) die "usage: netpol.sh up|down|status [nodes]" ;;
esac
