#!/usr/bin/env bash
# Builds Caddy from its published Go module into a cache outside the tree and prints the path of the binary.
#
# Needs Go; two minutes from nothing, at once when it is there. The version and every checksum are in go.mod and go.sum
# beside this script.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
version="$(sed -n 's|^\tgithub.com/caddyserver/caddy/v2 \(v[^ ]*\).*|\1|p' "$here/go.mod")"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/envoy-relay/caddy-$version"
binary="$cache/caddy"
if [[ ! -x "$binary" ]]; then
    mkdir -p "$cache"
    exec 9> "$cache/lock"
    flock 9 # the tests' processes may ask all at once: one builds, the others wait
fi
if [[ ! -x "$binary" ]]; then
    cd "$here"
    export GOBIN="$cache/bin" GOFLAGS="-mod=readonly -buildvcs=false" CGO_ENABLED=0
    go install -ldflags "-s -w" github.com/caddyserver/caddy/v2/cmd/caddy >&2
    mv "$cache/bin/caddy" "$binary"
fi
echo "$binary"
