#!/bin/bash
# pki.sh: CA, certificates, kubeconfigs, the SSH key and the nodes' host keys. Made once per cluster: in a folder on the side
# that is renamed when complete, so that a crash never leaves half of it. Those of a node that comes later, when it comes.
set -euo pipefail
. "$(dirname "$0")/env.sh"
umask 077
T=$RUN/pki.tmp; rm -rf "$T"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
cert() { # name subject alternative-names usage
  key "$1"
  printf 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=%s\n%s\n' "$4" "${3:+subjectAltName=$3}" > "$1.ext"
  openssl req -new -key "$1.key" -subj "$2" | openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm "$1.ext"
}
conf() { # name server
  cat > "$1.conf" <<Y
apiVersion: v1
kind: Config
clusters: [{name: matrix-ha-lab, cluster: {server: "https://$2:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: matrix-ha-lab, context: {cluster: matrix-ha-lab, user: $1}}]
current-context: matrix-ha-lab
Y
}
node() {
  local n=$1
  # The kubelets' certificates serve both ways. That the cluster's own CA signs them is what lets metrics-server verify them.
  cert "node$n" "/O=system:nodes/CN=system:node:node$n" "DNS:node$n,IP:$(node_ip "$n")" clientAuth,serverAuth; conf "node$n" "$CP"
  ssh-keygen -q -t ed25519 -N '' -C "node$n" -f "node${n}_host"; mv "node${n}_host.pub" "node${n}_host.pub.tmp"
  # key type and key only: this is the form in which deployment tools take a host key
  cut -d' ' -f1,2 "node${n}_host.pub.tmp" > "node${n}_host.pub"; rm "node${n}_host.pub.tmp"
  echo "$(node_ip "$n"),node$n $(cat "node${n}_host.pub")" >> known_hosts
}
if [ -d "$PKI" ]; then
  for n in $NODES; do
    [ ! -e "$PKI/node${n}_host" ] || continue
    rm -rf "$T"; mkdir -p "$T"; cp "$PKI"/ca.* "$T"; cd "$T"; node "$n"
    # The host key last: if it exists, so does the rest.
    sed -i "/,node$n /d" "$PKI/known_hosts"; cat known_hosts >> "$PKI/known_hosts"
    mv "node$n".* "node${n}_host.pub" "$PKI"; mv ca.srl "$PKI"; mv "node${n}_host" "$PKI"
  done
  rm -rf "$T"; exit 0
fi
mkdir -p "$T"; cd "$T"
key ca; openssl req -x509 -new -key ca.key -subj /CN=lab-ca -days 3650 -out ca.crt \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
cert apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$CP,IP:10.96.0.1" serverAuth
cert kubelet-client /O=system:masters/CN=apiserver-kubelet-client "" clientAuth
cert front-proxy /CN=front-proxy-client "" clientAuth
cert admin /O=system:masters/CN=admin "" clientAuth; conf admin "$CP"
cert controller-manager /CN=system:kube-controller-manager "" clientAuth; conf controller-manager 127.0.0.1
cert scheduler /CN=system:kube-scheduler "" clientAuth; conf scheduler 127.0.0.1
cert proxy /CN=system:kube-proxy "" clientAuth; conf proxy "$CP"
key sa; openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
ssh-keygen -q -t ed25519 -N '' -C matrix-ha-lab -f id
for n in $NODES; do node "$n"; done
mv "$T" "$PKI"
