#!/usr/bin/env bash
# Makes a Python environment with Home Assistant in a cache outside the tree and prints the path of its Python.
#
# Needs Python 3.13 (on the PATH, or of pyenv) and PyPI; three minutes from nothing, 600 MB, at once when it is there.
# 2025.4.4 is the newest that Python 3.13.0 can run; newer ones need 3.13.2, and 3.14.2.
set -euo pipefail
version=2025.4.4
cache="${XDG_CACHE_HOME:-$HOME/.cache}/envoy-relay/home-assistant-$version"
binary="$cache/venv/bin/python"
complete="$cache/complete-2" # counts up with the packages below
if [[ ! -e "$complete" ]]; then
    mkdir -p "$cache"
    exec 9> "$cache/lock"
    flock 9 # the tests' processes may ask all at once: one makes it, the others wait
fi
if [[ ! -e "$complete" ]]; then
    python=""
    for candidate in python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2> /dev/null; then
            python="$candidate"
            break
        fi
    done
    if [[ -z "$python" ]]; then
        echo "no Python 3.13: the tests with Home Assistant are skipped (pyenv install 3.13.0)" >&2
        exit 3
    fi
    if ! compgen -G "$cache/complete*" > /dev/null; then
        rm -rf "$cache/venv"
        "$python" -m venv "$cache/venv"
    fi
    "$binary" -m pip install --quiet --disable-pip-version-check "homeassistant==$version" paho-mqtt==2.1.0 \
        fnv-hash-fast==1.4.0 psutil-home-assistant==0.0.1 jsonpath==0.82.2 xmltodict==0.13.0 >&2 # of mqtt, recorder, rest
    touch "$complete"
fi
echo "$binary"
