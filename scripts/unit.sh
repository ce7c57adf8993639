#!/usr/bin/env bash
# Unit and integration tests.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# What the tests start beside the program.
need redis-server redis-server
need redis-cli redis-tools
scripts/daprd.sh >/dev/null

cargo test "$@"
