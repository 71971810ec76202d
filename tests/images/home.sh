# Sourced by tests/images.sh: the profile `home` as docs/home.md says, with a gateway of firmware 5: no token.

# start_home SETTING...: the settings as `.env`, both halves, and their gateway.
start_home() {
    printf '%s\n' ENVOY_HOST=gateway ENVOY_HTTP_PORT=8080 ENVOY_POST_INTERVAL=1 ENVOY_INVERTER_INTERVAL=10 \
        RELAY_HOME_BIND=127.0.0.1:28000 RECEIVER_PUBLIC_URL=http://127.0.0.1:28000 "$@" > "$tree/.env"
    compose --profile home up --detach --no-build
    podman run --detach --no-healthcheck --name home-gateway --network "${project}_home:alias=gateway" --read-only --tmpfs /tmp \
        "localhost/envoy-simulator:$version" \
        envoy-simulator run --profile=firmware-5 --late-morning --host=0.0.0.0 --http-port=8080 > /dev/null
    eventually "home: the receiver is ready" answer_contains ready http://127.0.0.1:28000/readyz
}

stop_home() {
    podman rm --force --time 2 home-gateway > /dev/null
    compose --profile home down --volumes --timeout 5
}

# home_serves SERIAL: readings reach a person with a token.
home_serves() {
    local token
    token="$(podman exec "${project}_home-receiver_1" envoy-receiver token create --gateway "$1" --days 1 | tail -n 1)"
    eventually "home: readings are served" answer_contains power "http://127.0.0.1:28000/api/v1/gateways/$1/inverters" \
        --header "Authorization: Bearer $token"
}

try_home() {
    local serial=121621000501 name
    sh "$tree/deploy/secrets.sh" "$tree/secrets" > /dev/null
    start_home ENVOY_SERIAL=$serial
    home_serves $serial
    for name in home-receiver home-scraper; do
        eventually "$name is healthy" is_healthy "$name"
    done
    check_inside home-scraper receiver simulator standalone fastapi influxdb_client uvicorn yaml
    check_inside home-receiver scraper simulator standalone
    podman exec "${project}_home-scraper_1" envoy-scraper check | tail -n 1
    podman exec "${project}_home-receiver_1" envoy-receiver token create --link --name phone | grep --quiet '^http://127.0.0.1:28000/#t='
    podman exec "${project}_home-receiver_1" envoy-receiver backup - > "$work/home.tar.gz"
    [[ "$(tar -tzf "$work/home.tar.gz" | grep --count .)" -gt 1 ]]
    say "home: checked, linked, saved"
    stop_home

    start_home # without the serial: the scraper has a key
    eventually "home: the scraper has a key" podman exec "${project}_home-scraper_1" envoy-scraper key
    podman exec "${project}_home-receiver_1" envoy-receiver keys add \
        "$(podman exec "${project}_home-scraper_1" envoy-scraper key | tail -n 1)" > /dev/null
    home_serves $serial
    stop_home
    rm "$tree/.env"
    say "home: down"
}
