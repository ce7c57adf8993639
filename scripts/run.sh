#!/usr/bin/env bash
# Builds what changed and serves it, with SQLite in data/.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/front.sh
cargo build --quiet --release --bin tidings

if [ -e .env ]; then
    set -a
    . ./.env
    set +a
fi
. scripts/env.sh
mkdir -p data
exec "$target/release/tidings" serve
