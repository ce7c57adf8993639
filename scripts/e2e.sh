#!/usr/bin/env bash
# Browser tests. Each starts a server of its own; the server is the one that `cargo test` builds,
# the browser's side is the one that is shipped.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need node nodejs
need npm npm
if [ -z "${TIDINGS_CHROMIUM:-}" ]; then
    need chromium chromium
fi
# Beside servers of their own, replicas have these.
need redis-server redis-server
need_file /usr/lib/postgresql/15/bin/postgres postgresql
scripts/daprd.sh >/dev/null
scripts/front.sh
cargo test --quiet --no-run

PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm_ci end2end

. scripts/env.sh
export TIDINGS_BIN=${TIDINGS_BIN:-$target/debug/tidings}
cd end2end
exec node_modules/.bin/playwright test "$@"
