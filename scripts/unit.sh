#!/usr/bin/env bash
# Unit and integration tests.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# What the tests start beside the program. Debian's own servers stay as they are.
need redis-server redis-server
need redis-cli redis-tools
need_file /usr/lib/postgresql/15/bin/postgres postgresql
need node nodejs
need npm npm
npm_ci tests/it/mail/peer
scripts/daprd.sh >/dev/null
scripts/kafka.sh >/dev/null

cargo test "$@"
