#!/bin/bash
# ingress.sh: the ingress controller of the local cluster: Contour and Envoy, with Contour's own manifest and our images.
# It replaces the NGINX ingress controller, which cannot be built from the registries; the Ingress objects are the
# stack's own and controller-neutral. Its Service gets an address once the stack has installed MetalLB.
set -euo pipefail
. "$(dirname "$0")/env.sh"
version=1.33.8
manifest=$CACHE/contour-$version.yaml
if [ ! -s "$manifest" ]; then
  dir=$(cd /tmp && GOFLAGS=-mod=mod go mod download -json "github.com/projectcontour/contour@v$version" | python3 -c 'import json,sys; print(json.load(sys.stdin)["Dir"])')
  cp "$dir/examples/render/contour.yaml" "$manifest.tmp" && chmod u+w "$manifest.tmp" && mv "$manifest.tmp" "$manifest"
fi
# No host ports: the address comes from the load balancer. Three Envoys take longer to drain than this lab wants to wait.
# Contour asks for no processor time: on a full node a proxy that asks for none gets none, and its liveness probe kills it.
share() { printf '%s' "/^kind: (Deployment|DaemonSet)/,/^---/s#^( *)image: localhost/matrix-ha/$1:.*#&\\n\\1resources: {requests: {cpu: $2, memory: $3}}#"; }
sed -E "s#ghcr.io/projectcontour/contour:v$version#localhost/matrix-ha/contour:$version#; s#docker.io/envoyproxy/envoy:.*#localhost/matrix-ha/envoy:1.40.0#; /hostPort:/d; s/terminationGracePeriodSeconds: 300/terminationGracePeriodSeconds: 30/" "$manifest" |
  sed -E -e "$(share contour 20m 64Mi)" -e "$(share envoy 50m 64Mi)" |
  kubectl apply --server-side --force-conflicts -f - > "$RUN/ingress.log"
# The Ingress objects name their controller by class.
kubectl apply --server-side -f - >> "$RUN/ingress.log" <<'Y'
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: contour }
spec: { controller: projectcontour.io/ingress-controller }
Y
kubectl -n projectcontour rollout status deploy/contour --timeout=180s > /dev/null
say "ingress controller: Contour $version with Envoy (class contour)"
