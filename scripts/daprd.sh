#!/usr/bin/env bash
# Builds the Dapr sidecar from its published Go module into the cache, once, and says where it is.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

version=$(sed -n 's/.*github.com\/dapr\/dapr v\([0-9.]*\).*/\1/p' dapr/sidecar/go.mod | head -n 1)
daprd=$cache/daprd

if [ "$("$daprd" --version 2>/dev/null)" != "$version" ]; then
    need_go dapr/sidecar
    say "Building daprd $version (once, three minutes and two of download)" >&2
    mkdir -p "$cache"
    # Beside its place first: whoever runs the old one keeps it.
    (cd dapr/sidecar && CGO_ENABLED=0 go build -trimpath -mod=readonly -tags stablecomponents \
        -ldflags "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=$version" \
        -o "$daprd.new" github.com/dapr/dapr/cmd/daprd)
    mv "$daprd.new" "$daprd"
fi
say "$daprd"
