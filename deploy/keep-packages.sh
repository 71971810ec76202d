#!/bin/sh
# Removes from an image's environment our packages that the image does not run, and their commands:
#
#   keep-packages.sh ENVIRONMENT "KEPT ..." "REMOVED ..."
#
# The two lists together must name exactly the packages of our wheel. So a new package that stands on no list, or a listed
# one that the wheel does not hold, fails the build.
set -eu
environment=$1 kept=$2 removed=$3

site=$(echo "$environment"/lib/python3*/site-packages)
wheel=$(echo "$site"/envoy_relay-*.dist-info)
present=$(sed -n 's|^\([a-z_]*\)/__init__\.py,.*|\1|p' "$wheel/RECORD" | sort)
# shellcheck disable=SC2086  # the lists are words
listed=$(printf '%s\n' $kept $removed | sort)
if [ "$present" != "$listed" ]; then
    echo "the wheel holds the packages" $present "but the Dockerfile lists" $listed >&2
    exit 1
fi
for package in $removed; do
    rm -r "$site/$package"
    for command in $(sed -n "s|^\(.*\) = $package\..*|\1|p" "$wheel/entry_points.txt"); do
        rm "$environment/bin/$command"
    done
done
