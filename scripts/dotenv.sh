# The variables of .env, where there is one. Sourced, by the scripts that serve.

if [ -e .env ]; then
    # What is set already counts more.
    given=$(export -p)
    set -a
    . ./.env
    set +a
    eval "$given"
fi
