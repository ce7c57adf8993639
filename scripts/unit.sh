#!/usr/bin/env bash
# Unit and integration tests.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cargo test "$@"
