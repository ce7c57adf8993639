#!/usr/bin/env bash
# Installs what a build of the browser's side needs, outside the tree, once.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

leptos_version=0.3.7 # the newest that builds with the pinned Rust
binaryen_version=132.0.0
bindgen_version=$(locked wasm-bindgen)

need cc gcc
need node nodejs
need npm npm
command -v cargo >/dev/null || fail "Rust is missing. Install it from https://rustup.rs and try again."

if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx wasm32-unknown-unknown; then
    rustup target add wasm32-unknown-unknown
fi

if [ "$(wasm-bindgen --version 2>/dev/null)" != "wasm-bindgen $bindgen_version" ]; then
    say "Installing wasm-bindgen $bindgen_version (once, a minute)"
    # Not --locked: its lock file asks for more than some registries show. A lightly optimised
    # build is fast enough and is there in a fifth of the time.
    env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install -q --force --root "$cache/tools" "wasm-bindgen-cli@$bindgen_version"
fi

if [ "$(cargo-leptos --version 2>/dev/null)" != "cargo-leptos $leptos_version" ]; then
    say "Installing cargo-leptos $leptos_version (once, five minutes)"
    env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=false \
        cargo install -q --force --locked --debug --root "$cache/tools" "cargo-leptos@$leptos_version"
fi

# Debian's binaryen (108) mixes up the tables of what wasm-bindgen makes: the page then fails at start.
binaryen=$cache/npm/node_modules/binaryen/package.json
if ! grep -qs "\"version\": \"$binaryen_version\"" "$binaryen"; then
    say "Installing binaryen $binaryen_version (once, seconds)"
    npm install --silent --no-audit --no-fund --prefix "$cache/npm" "binaryen@$binaryen_version"
fi
