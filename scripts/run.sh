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
address=${LEPTOS_SITE_ADDR:-127.0.0.1:3000}
mkdir -p data

# Says so once the port answers, or goes away with the server.
(
    until (: <"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; do
        kill -0 $$ 2>/dev/null || exit 0
        sleep 0.1
    done
    say "Tidings is at http://$address (Ctrl-C stops it)"
) &
exec "$target/release/tidings" serve
