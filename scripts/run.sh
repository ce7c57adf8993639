#!/usr/bin/env bash
# Builds what changed and serves it, with SQLite in data/.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/front.sh
say "Building the server (minutes the first time)"
cargo build --quiet --release --bin tidings

. scripts/dotenv.sh
. scripts/env.sh
mkdir -p data
exec "$target/release/tidings" serve
