#!/bin/sh
# Makes the secrets of an installation, once: `make secrets`, or `sh deploy/secrets.sh [FOLDER]` where there is no make.
# It never changes a file that exists, so it can run again at any time. It never prints a value.
set -eu
umask 077
folder=${1:-secrets}
owner=10001 # the user of all our containers

mkdir -p "$folder"
chmod 700 "$folder"

# secret NAME PURPOSE: makes a file of 32 random bytes as 64 hexadecimal digits, whole or not at all.
secret() {
    if [ -s "$folder/$1" ]; then
        echo "kept  $folder/$1: $2"
    else
        od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$folder/.$1.$$"
        [ "$(wc -c <"$folder/.$1.$$")" -eq 64 ] || { echo "no random numbers from /dev/urandom" >&2; exit 1; }
        mv "$folder/.$1.$$" "$folder/$1"
        echo "made  $folder/$1: $2"
    fi
    chmod 600 "$folder/$1"
}

secret influxdb_admin_password 'password of the administrator of InfluxDB'
secret influxdb_admin_token 'token of that administrator; only "envoy-receiver setup" and backups use it'
secret grafana_admin_password 'first password of the user "admin" in Grafana'
secret receiver_secret 'shared by the receiver and the scrapers of one household (RECEIVER_SECRET, ENVOY_RECEIVER_SECRET)'
secret receiver_read_secret 'signs the tokens of people and programs that read (RECEIVER_READ_SECRET)'

if [ "$(id -u)" -eq 0 ]; then
    chown -R "$owner:$owner" "$folder"
elif [ "$(id -u)" -ne "$owner" ]; then
    echo "the containers run as user $owner and must read these files: run once  sudo chown -R $owner:$owner $folder"
fi
