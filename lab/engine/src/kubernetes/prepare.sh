#!/bin/bash
# Lays the provider's schema beside main.go, which embeds it: 7 MB that the pinned module carries, so they are not committed.
set -euo pipefail
cd "$(dirname "$0")"
go mod download github.com/pulumi/pulumi-kubernetes/provider/v4
from=$(go list -m -f '{{.Dir}}' github.com/pulumi/pulumi-kubernetes/provider/v4)/cmd/pulumi-resource-kubernetes
install -m 0644 "$from/schema.json" "$from/terraform-mapping.json" .
