#!/usr/bin/env bash
# Fetches Kafka's jars into the cache, once, and says where they are. To run a broker of one node:
#   java -cp "$(scripts/kafka.sh)/*" kafka.tools.StorageTool format -t ID -c dapr/kafka/server.properties
#   java -Xmx512m -cp "$(scripts/kafka.sh)/*" kafka.Kafka dapr/kafka/server.properties
set -euo pipefail
. "$(dirname "$0")/lib.sh"

jars=$cache/kafka
need java default-jre-headless

if ! fresh "$jars/.stamp" dapr/kafka/pom.xml; then
    need mvn maven
    say "Fetching Kafka (once, seconds)" >&2
    rm -rf "$jars"
    mvn -q -B -f dapr/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$jars" >&2
    touch "$jars/.stamp"
fi
say "$jars"
