# What the server must know of the browser's build. Sourced by the scripts that start a server.

export LEPTOS_OUTPUT_NAME=tidings
export LEPTOS_SITE_ROOT=$root/target/site
export LEPTOS_HASH_FILES=true
export LEPTOS_HASH_FILE_NAME=$target/release/hash.txt
