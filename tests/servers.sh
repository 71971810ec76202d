#!/usr/bin/env bash
# Builds the real servers and tools that the tests start, once a machine, into caches outside the tree: Home Assistant
# (needs Python 3.13), InfluxDB 2 and 1, Caddy, kustomize. Needs Go (and cargo for InfluxDB 2); without them it says so,
# and the tests that need them are skipped. As root on Debian it installs what Debian has, too: Chromium for the tests of
# the page, nginx for those of the example, VictoriaMetrics, Prometheus, mosquitto and jq for those of the outputs.
set -euo pipefail
cd "$(dirname "$0")"
PATH="$PATH:/usr/sbin"
missing=()
while read -r command package; do
    command -v "$command" > /dev/null || missing+=("$package")
done << LIST
${CHROMIUM:-chromium} chromium
nginx nginx-light
victoria-metrics victoria-metrics
prometheus prometheus
mosquitto mosquitto
mosquitto_sub mosquitto-clients
jq jq
LIST
if ((${#missing[@]})); then
    if [[ "$(id -u)" == 0 ]] && command -v apt-get > /dev/null; then
        echo "installing ${missing[*]} for the tests" >&2
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${missing[@]}" > /dev/null
    else
        echo "no ${missing[*]}: the tests that need them are skipped (apt install ${missing[*]})" >&2
        [[ -z "${CI:-}" ]]
    fi
fi
build_with_go() {
    if ! command -v go > /dev/null || ! command -v cargo > /dev/null; then
        echo "no Go or no cargo: tests that need a real InfluxDB, Caddy or kustomize are skipped" >&2
        [[ -z "${CI:-}" ]]
        return
    fi
    if [[ -z "${INFLUXD:-}" ]] && ! command -v influxd > /dev/null; then
        influxd/build.sh
    fi
    if [[ -z "${INFLUXD1:-}" ]] && ! command -v influxd1 > /dev/null; then
        influxd1/build.sh
    fi
    caddy/build.sh
    go -C kubernetes/kustomize tool kustomize version
}

home_assistant/build.sh > /dev/null & # compiles on one core for minutes, as the others do
home_assistant=$!
build_with_go
if ! wait "$home_assistant"; then
    [[ -z "${CI:-}" ]]
fi
