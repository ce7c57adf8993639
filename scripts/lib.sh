# Shared by the scripts: where things are, and how tools are found or installed.
# Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-$root/target}
cache=${TIDINGS_CACHE:-$HOME/.cache/tidings}
export PATH="$cache/tools/bin:$cache/npm/node_modules/.bin:$PATH"

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# need COMMAND PACKAGE: the command is there, or comes with this Debian package.
need() {
    command -v "$1" >/dev/null || install_package "$1" "$2"
}

# need_file FILE PACKAGE: the same for a program that lies outside PATH.
need_file() {
    [ -x "$1" ] || install_package "$1" "$2"
}

# npm_ci FOLDER: what its lock file says is there.
npm_ci() {
    fresh "$1/node_modules/.package-lock.json" "$1/package-lock.json" && return
    npm ci --silent --no-audit --no-fund --prefix "$1"
    touch "$1/node_modules/.package-lock.json"
}

# need_go FOLDER: a Go that builds the module there. Since 1.21 an older one fetches what go.mod asks for.
need_go() {
    need go golang
    export GOTOOLCHAIN=${GOTOOLCHAIN:-auto}
    local why
    if ! why=$(cd "$1" && go list -mod=readonly -m 2>&1 >/dev/null); then
        fail "$1 needs Go $(sed -n 's/^go //p' "$1/go.mod"); here is $(go version | cut -d ' ' -f 3), which says:
$why
Go 1.21 and newer fetch the one that is needed, with GOTOOLCHAIN=auto and a module proxy within reach.
Else install it from https://go.dev/dl/ and try again."
    fi
}

install_package() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing the Debian package $2"
        if apt-get install -qq -y "$2" >/dev/null 2>&1 ||
            { apt-get update -qq && apt-get install -qq -y "$2" >/dev/null; }; then
            return
        fi
    fi
    fail "$1 is missing. Install it and try again: sudo apt-get install $2"
}

# The version that Cargo.lock holds of a crate.
locked() {
    sed -n "/^name = \"$1\"\$/{n;s/version = \"\(.*\)\"/\1/p;q}" Cargo.lock
}

# Whether the file $1 exists and nothing among the other paths is newer.
fresh() {
    local stamp=$1
    shift
    [ -e "$stamp" ] && [ -z "$(find "$@" -newer "$stamp" -print -quit)" ]
}
