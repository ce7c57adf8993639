#!/usr/bin/env bash
# Speed and memory, in one run of about two minutes, or with `services` of what follows from events. bench/README.md tells how.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/front.sh
cargo build --quiet --release --bin tidings
cargo build --quiet --release -p tidings-bench

. scripts/env.sh
export TIDINGS_BIN=$target/release/tidings
ulimit -n "$(ulimit -Hn)" # a thousand sockets, and their other ends
say "$(date -u +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(nproc) cores"
exec "$target/release/tidings-bench" "$@"
