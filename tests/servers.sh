#!/usr/bin/env bash
# Builds the real servers and tools that the tests start, once a machine, into caches outside the tree: InfluxDB, Caddy,
# kustomize. Needs Go (and cargo for InfluxDB); without them it says so, and the tests that need them are skipped. As
# root on Debian it installs Chromium for the tests of the page, too.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v "${CHROMIUM:-chromium}" > /dev/null; then
    if [[ "$(id -u)" == 0 ]] && command -v apt-get > /dev/null; then
        echo "installing Chromium for the tests of the page" >&2
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium > /dev/null
    else
        echo "no chromium: the tests of the page in a browser are skipped (apt install chromium)" >&2
        [[ -z "${CI:-}" ]]
    fi
fi
if ! command -v go > /dev/null || ! command -v cargo > /dev/null; then
    echo "no Go or no cargo: tests that need a real InfluxDB, Caddy or kustomize are skipped" >&2
    [[ -z "${CI:-}" ]]
    exit
fi
if [[ -z "${INFLUXD:-}" ]] && ! command -v influxd > /dev/null; then
    influxd/build.sh
fi
caddy/build.sh
go -C kubernetes/kustomize tool kustomize version
