#!/usr/bin/env bash
# Builds the images, starts what the compose file says, and looks at all of it from inside and from outside. With the
# argument `home` only that profile is started, which needs neither Go nor cargo.
#
# Needs root on Debian (it installs podman and buildah), Go and cargo for the real servers, no container engine and no
# registry: the base image is made by debootstrap; InfluxDB and Caddy are real, under the names of their official images;
# Grafana is a stand-in that checks its mounts, settings and token. Leaves caches in ~/.cache/envoy-relay, nothing else.
set -euo pipefail
tests="$(cd "$(dirname "$0")" && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/envoy-relay"
mkdir -p "$cache"
work="$(mktemp -d /var/tmp/envoy-relay-images.XXXXXX)"
tree="$work/tree"
project=envoyrelaytest # not that of an installation that may run here
# shellcheck source=tests/images/tools.sh
. "$tests/images/tools.sh"
# shellcheck source=tests/images/home.sh
. "$tests/images/home.sh"

start_s=$SECONDS
say() { printf '%4d s  %s\n' "$((SECONDS - start_s))" "$*"; }

clean_up() {
    local status=$?
    trap - EXIT
    if ((status)); then
        for name in $(podman ps --all --format '{{.Names}}' 2> /dev/null); do
            echo "--- last lines of $name" >&2
            podman logs --tail 15 "$name" >&2 2>&1 || true
        done
    fi
    remove_all || true
    exit "$status"
}

compose() {
    (cd "$tree" && "$work/compose/bin/podman-compose" --podman-path "$work/podman" --project-name "$project" "$@") > "$work/compose.log" 2>&1 ||
        { tail -n 40 "$work/compose.log" >&2; return 1; }
}

# eventually WHAT COMMAND...: until the command succeeds, two minutes at most: the promise of the demo.
eventually() {
    local what="$1" end=$((SECONDS + 120))
    shift
    until "$@" > "$work/eventually.log" 2>&1; do
        if ((SECONDS > end)); then
            echo "not within two minutes: $what" >&2
            tail -n 5 "$work/eventually.log" >&2
            return 1
        fi
        sleep 1
    done
    say "$what"
}

answer_contains() { curl --silent --show-error --fail --max-time 10 "${@:2}" | grep --quiet "$1"; }
is_healthy() { podman healthcheck run "${project}_$1_1"; }

# check_inside NAME [MODULE...]: the container is what the Dockerfile and the compose file promise.
check_inside() {
    podman exec --interactive "${project}_$1_1" python - "${@:2}" < "$tests/images/inside.py"
    say "$1: user 10001, nothing writable but its state, no capability, no pip"
}

trap clean_up EXIT
trap 'exit 130' INT TERM
install_tools
configure_tools
say "tools are there"

# The tree as git has it, with changes of this checkout: never its .env or its secrets.
mkdir "$tree"
(cd "$tests/.." && git ls-files --cached --others --exclude-standard -z | xargs -0 tar -cf - --ignore-failed-read 2> /dev/null) | tar -C "$tree" -xf -
python3 -m venv "$work/compose"
"$work/compose/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$tests/images/requirements.txt"
base_image
say "base image is there"

image_in_compose_file() { sed -n "s|^ *image: \(.*$1:.*\)|\1|p" "$tree/docker-compose.yml"; }
version="$(sed -n 's/^VERSION = "\(.*\)"$/\1/p' "$tree/shared/version.py")"
for name in scraper receiver simulator; do
    build "$tree/Dockerfile" "localhost/envoy-$name:$version" "$tree" --layers --target "$name" --build-arg VERSION="$version"
done
for name in scraper receiver simulator; do
    [[ "$(podman image inspect --format '{{index .Labels "org.opencontainers.image.title"}}' "localhost/envoy-$name:$version")" == "envoy-$name" ]]
    [[ "$(podman image inspect --format '{{.User}}' "localhost/envoy-$name:$version")" == 10001:10001 ]]
done
say "our images are built, and labelled"
try_home
if [[ "${1:-}" == home ]]; then
    say "images: the profile home is good"
    exit
fi
mkdir "$work/context"
cp "${INFLUXD:-$("$tests/influxd/build.sh")}" "$work/context/influxd"
cp "${CADDY:-$("$tests/caddy/build.sh")}" "$work/context/caddy"
cp "$tests/images/grafana.py" "$work/context/"
for name in influxdb caddy grafana; do
    build "$tests/images/Containerfile.$name" "$(image_in_compose_file "$name")" "$work/context"
done
say "stand-ins for the official images are built"

# The demo, on ports that nobody else has.
export RELAY_DEMO_RECEIVER_BIND=127.0.0.1:28000 RELAY_DEMO_GRAFANA_BIND=127.0.0.1:23000 RELAY_DEMO_HTTPS_BIND=127.0.0.1:28443
compose --profile demo up --detach --no-build
eventually "demo: readings of the simulated gateway are in InfluxDB" answer_contains inverter http://127.0.0.1:23000/grafana/measurements
eventually "demo: the proxy shows the receiver" answer_contains alive --insecure https://localhost:28443/healthz
eventually "demo: the proxy shows the page" answer_contains assets/index- --insecure https://localhost:28443/
for name in demo-influxdb demo-receiver demo-grafana demo-proxy demo-simulator demo-scraper; do
    eventually "$name is healthy" is_healthy "$name"
done
check_inside demo-scraper receiver simulator standalone fastapi influxdb_client uvicorn yaml
check_inside demo-receiver scraper simulator standalone
check_inside demo-simulator scraper receiver standalone
podman exec "${project}_demo-scraper_1" envoy-scraper check | tail -n 1
compose --profile demo down --volumes --timeout 5
say "demo: down"

# A host with secrets of its own and a certificate of the proxy's own authority.
sh "$tree/deploy/secrets.sh" "$tree/secrets" > /dev/null
export RELAY_RECEIVER_BIND=127.0.0.1:28000 RELAY_RECEIVER_STATUS_BIND=127.0.0.1:28002 RELAY_GRAFANA_BIND=127.0.0.1:23000 \
    RELAY_INFLUXDB_BIND=127.0.0.1:28086 RELAY_HTTP_BIND=127.0.0.1:28080 RELAY_HTTPS_BIND=127.0.0.1:28443 \
    RELAY_DOMAIN=relay.test RELAY_TLS=internal
root_certificate() { podman exec "${project}_proxy_1" cat /data/caddy/pki/authorities/local/root.crt > "$work/root.crt"; }
answers_over_tls() { answer_contains "$1" --cacert "$work/root.crt" --connect-to relay.test:443:127.0.0.1:28443 "https://relay.test$2" "${@:3}"; }
compose --profile hosted up --detach --no-build
eventually "hosted: Grafana has its token" answer_contains ok http://127.0.0.1:23000/api/health
eventually "hosted: the proxy has its authority" root_certificate
eventually "hosted: the receiver is ready, over TLS" answers_over_tls ready /readyz
eventually "hosted: Grafana answers, over TLS" answers_over_tls ok /grafana/api/health
compose --profile hosted up --detach --no-build # `setup` again, over what it has made
eventually "hosted: ready after another start" answers_over_tls ready /readyz

# A home that reaches that host with a key of its own. Its gateway has firmware 5: no token, no settings.
serial=121621000501
ca_file=/var/lib/envoy-relay/receiver-ca.crt
printf '%s\n' ENVOY_HOST=gateway ENVOY_HTTP_PORT=8080 ENVOY_SERIAL=$serial ENVOY_POST_INTERVAL=1 ENVOY_INVERTER_INTERVAL=10 \
    ENVOY_RECEIVER_URL=https://relay.test ENVOY_RECEIVER_CA_FILE=$ca_file RELAY_SCRAPER_STATUS_BIND=127.0.0.1:28001 > "$tree/.env"
compose --profile edge run --rm -T scraper sh -c "cat > $ca_file" < "$work/root.crt"
compose --profile edge run --rm -T scraper envoy-scraper key
podman exec "${project}_receiver_1" envoy-receiver keys add "$(grep "$serial" "$work/compose.log" | tail -n 1)" > /dev/null
podman run --detach --no-healthcheck --name gateway --network "${project}_edge" --read-only --tmpfs /tmp "localhost/envoy-simulator:$version" \
    envoy-simulator run --profile=firmware-5 --late-morning --host=0.0.0.0 --http-port=8080 > /dev/null
podman network connect --alias relay.test "${project}_edge" "${project}_proxy_1"
compose --profile edge up --detach --no-build
token="$(podman exec "${project}_receiver_1" envoy-receiver token create --gateway "$serial" --days 1 | tail -n 1)"
eventually "edge: readings are served by the host" answers_over_tls power "/api/v1/gateways/$serial/inverters" --header "Authorization: Bearer $token"
eventually "edge: the scraper is ready" answer_contains ready http://127.0.0.1:28001/readyz
podman rm --force --time 2 gateway > /dev/null
compose --profile edge down --volumes --timeout 5
compose --profile hosted down --volumes --timeout 5

export RECEIVER_STORE=sqlite:////var/lib/envoy-relay/readings.sqlite
compose --profile receiver up --detach --no-build
eventually "receiver alone: ready with its own store" answer_contains ready http://127.0.0.1:28000/readyz
compose --profile receiver down --volumes --timeout 5
say "images: all good"
