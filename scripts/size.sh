#!/usr/bin/env bash
# Bytes that the browser fetches, raw and as sent. Fails over the budget.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

budget=170 # KB of wasm and glue together, in brotli
scripts/front.sh

sent=0
printf '%-8s %12s %12s\n' file 'raw KB' 'brotli KB'
for kind in wasm js css; do
    file=$(find target/site/pkg -maxdepth 1 -name "*.$kind" | head -1)
    raw=$(stat -c %s "$file") br=$(stat -c %s "$file.br")
    awk -v k="$kind" -v r="$raw" -v b="$br" 'BEGIN { printf "%-8s %12.1f %12.1f\n", k, r / 1000, b / 1000 }'
    [ "$kind" = css ] || sent=$((sent + br))
done
awk -v s="$sent" -v b="$budget" 'BEGIN { printf "wasm and glue: %.1f KB of %d KB\n", s / 1000, b; exit s > b * 1000 }' ||
    fail "Over the budget."
