#!/usr/bin/env bash
# Builds influxd 1.8 from its published Go module into a cache outside the tree and prints the path of the binary.
#
# Needs Go; two minutes from nothing, at once when it is there. The version and every checksum are in go.mod and go.sum
# beside this script.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
version="$(sed -n 's|^\tgithub.com/influxdata/influxdb \(v[^ ]*\).*|\1|p;s|^require github.com/influxdata/influxdb \(v[^ ]*\).*|\1|p' "$here/go.mod")"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/envoy-relay/influxd1-$version"
binary="$cache/influxd1"
if [[ ! -x "$binary" ]]; then
    mkdir -p "$cache"
    exec 9> "$cache/lock"
    flock 9 # the tests' processes may ask all at once: one builds, the others wait
fi
if [[ ! -x "$binary" ]]; then
    # a go.mod of 2020 does not list what its modules need: they are added to a copy, and go.sum knows each of them
    cp "$here/go.mod" "$here/go.sum" "$cache/"
    cd "$cache"
    GOFLAGS="-mod=mod -buildvcs=false" go build -ldflags "-s -w" -o influxd1.new github.com/influxdata/influxdb/cmd/influxd >&2
    cmp go.sum "$here/go.sum" >&2 # nothing came in that is not listed
    mv influxd1.new influxd1
fi
echo "$binary"
