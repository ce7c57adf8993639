#!/usr/bin/env bash
# Serves a debug build that is rebuilt and reloaded at every change.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

scripts/tools.sh
mkdir -p data
node scripts/css.mjs --watch &
trap 'kill $!' EXIT
# Reloading looks for the files under their plain names.
LEPTOS_HASH_FILES=false cargo leptos watch
