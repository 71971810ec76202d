#!/usr/bin/env bash
# Builds influxd 2.7 from its published Go module into a cache outside the tree and prints the path of the binary.
#
# Needs Go, cargo and gcc; ten minutes from nothing, at once when it is there. The version and every checksum are in
# go.mod and go.sum beside this script. A module of our own is needed because influxdb's has a `replace`, which
# `go install path@version` refuses.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
version="$(sed -n 's|^\tgithub.com/influxdata/influxdb/v2 \(v[^ ]*\).*|\1|p' "$here/go.mod")"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/envoy-relay/influxd-$version"
binary="$cache/influxd"
if [[ ! -x "$binary" ]]; then
    mkdir -p "$cache"
    exec 9> "$cache/lock"
    flock 9 # the tests' processes may ask all at once: one builds, the others wait
fi
if [[ ! -x "$binary" ]]; then
    cd "$here"
    # The query engine is Rust and denies warnings, and newer compilers than its own have new ones. RUSTFLAGS does
    # not reach build dependencies, a wrapper does.
    printf '#!/bin/sh\nexec "$@" --cap-lints warn\n' > "$cache/rustc"
    chmod +x "$cache/rustc"
    export GOBIN="$cache/bin" GOFLAGS="-mod=readonly -buildvcs=false"
    export RUSTUP_TOOLCHAIN="${RUSTUP_TOOLCHAIN:-stable}" RUSTC_WRAPPER="$cache/rustc"
    go install github.com/influxdata/pkg-config >&2 # finds the Rust library, and builds it
    PKG_CONFIG="$cache/bin/pkg-config" go install -ldflags "-s -w" github.com/influxdata/influxdb/v2/cmd/influxd >&2
    mv "$cache/bin/influxd" "$binary"
fi
echo "$binary"
