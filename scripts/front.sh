#!/usr/bin/env bash
# Builds what the browser gets into target/site, where something changed: wasm, glue, CSS, public/.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

stamp=$root/target/front.stamp # beside target/site, wherever cargo builds
inputs=(Cargo.toml Cargo.lock rust-toolchain.toml app crates style public scripts/front.sh scripts/css.mjs scripts/imports.mjs scripts/compress.mjs)
if fresh "$stamp" "${inputs[@]}" && [ -d target/site/pkg ] && [ -e "$target/release/hash.txt" ]; then
    exit
fi

scripts/tools.sh
mkdir -p target
touch "$stamp.new" # the time at which the build began: what changes during it counts as changed
say "Building the browser's side"
node scripts/css.mjs
# Where sources lie is in the texts of panics: without it the script is the same wherever it is built.
sources=${CARGO_HOME:-$HOME/.cargo}/registry/src
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--remap-path-prefix=$sources= --remap-path-prefix=$root="
cargo leptos build --release --frontend-only
rm -f target/site/pkg/*.ts # types, for nobody
node scripts/imports.mjs target/site/pkg
node scripts/compress.mjs target/site
mv "$stamp.new" "$stamp"
