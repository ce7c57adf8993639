#!/usr/bin/env bash
# Speed and memory, in one run of about two minutes. bench/README.md tells how.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/front.sh
. scripts/env.sh
exec cargo bench --quiet --bench figures -- "$@"
