#!/usr/bin/env bash
# What publishing through a sidecar costs, in one run of about three minutes. bench/README.md tells how.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need redis-server redis-server
need_file /usr/lib/postgresql/15/bin/postgres postgresql
DAPRD_BIN=$(scripts/daprd.sh)
scripts/front.sh
cargo build --quiet --release --bin tidings
cargo build --quiet --release -p tidings-bench

. scripts/env.sh
export DAPRD_BIN DAPR_FILES=$root/dapr TIDINGS_BIN=$target/release/tidings
ulimit -n "$(ulimit -Hn)"
say "$(date -u +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(nproc) cores"
exec "$target/release/tidings-bench" dapr
