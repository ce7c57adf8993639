#!/usr/bin/env bash
# Starts a broker, a sidecar and Tidings together; the end of Tidings, or Ctrl-C, stops all of it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

broker=${BROKER:-redis}
daprd=$(scripts/daprd.sh)
scripts/front.sh
cargo build --quiet --release --bin tidings
. scripts/dotenv.sh
. scripts/env.sh
mkdir -p data

pids=()
stop() {
    trap - EXIT INT TERM
    # Tidings first, then the sidecar that it drains through, then the broker.
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill "${pids[$i]}" 2>/dev/null || true
        wait "${pids[$i]}" 2>/dev/null || true
    done
}
trap stop EXIT
trap 'exit 130' INT TERM

# Each in a process group of its own, so that Ctrl-C reaches only this script.
set -m
case $broker in
redis)
    need redis-server redis-server
    redis-server --port 6379 --bind 127.0.0.1 --dir data >data/redis.log &
    export REDIS_ADDR=127.0.0.1:6379
    ;;
kafka)
    jars=$(scripts/kafka.sh)
    if [ ! -e data/kafka/meta.properties ]; then
        id=$(java -cp "$jars/*" kafka.tools.StorageTool random-uuid 2>/dev/null)
        java -cp "$jars/*" kafka.tools.StorageTool format -t "$id" -c dapr/kafka/server.properties \
            >data/kafka.log 2>&1
    fi
    java -Xmx512m -cp "$jars/*" kafka.Kafka dapr/kafka/server.properties >data/kafka.log 2>&1 &
    export KAFKA_BROKERS=127.0.0.1:9092
    until (: </dev/tcp/127.0.0.1/9092) 2>/dev/null; do
        kill -0 $! 2>/dev/null || fail "Kafka did not start: see data/kafka.log"
        sleep 0.2
    done
    ;;
memory) ;;
*) fail "BROKER is redis, kafka or memory" ;;
esac
[ "$broker" = memory ] || pids+=($!)

side=${SIDECAR_ADDR:-127.0.0.1:3001}
port=${DAPR_HTTP_PORT:-3500}
DAPR_HOST_IP=127.0.0.1 GOGC=${GOGC:-400} "$daprd" --mode standalone --app-id tidings --app-port "${side##*:}" \
    --dapr-http-port "$port" --dapr-listen-addresses 127.0.0.1 --config dapr/config.yaml \
    --resources-path dapr/components/common \
    --resources-path "dapr/components/$broker" \
    --enable-app-health-check --app-health-check-path /healthz >data/daprd.log 2>&1 &
pids+=($!)
say "The sidecar's API is at http://127.0.0.1:$port, its log in data/daprd.log, its process $!"

DAPR_HTTP_PORT=$port "$target/release/tidings" serve &
pids+=($!)
# Without its sidecar or its broker Tidings goes on.
wait $!
