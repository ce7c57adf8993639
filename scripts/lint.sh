#!/usr/bin/env bash
# Formatting and clippy, for the server and for the browser; then what is deployed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx wasm32-unknown-unknown; then
    rustup target add wasm32-unknown-unknown
fi
cargo fmt --all --check
# The browser's entry is left out of native builds, and is looked at for the target it is for.
cargo clippy --all-targets -- -D warnings
cargo clippy -p tidings-hydrate --target wasm32-unknown-unknown -- -D warnings
scripts/manifests.sh
