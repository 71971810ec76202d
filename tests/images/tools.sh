# Sourced by tests/images.sh: podman and buildah with storage, networks and settings of their own under $work, so that
# nothing that another podman of this machine holds is seen or touched; and the base image.

# Installs what is missing. Debian's names; elsewhere they must be there.
install_tools() {
    local wanted=(buildah podman runc conmon netavark aardvark-dns iptables debootstrap curl procps) missing=()
    local name
    for name in "${wanted[@]}"; do
        dpkg-query -W -f '${Status}' "$name" 2> /dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    if ((${#missing[@]})); then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
    fi
}

# Podman without systemd, user namespaces or registries. runc, because crun refuses where cgroups are of the first kind.
configure_tools() {
    local driver=vfs
    name_server_file=/run/containers/networks/aardvark-dns/aardvark.pid
    rm -f "/run/containers/networks/aardvark-dns/${project}_"* # names of a run that was killed would be answered first
    name_server="$(pgrep -x aardvark-dns || true)"
    mkdir -p "$work"/{lower,upper,work,merged,networks,compose}
    if mount -t overlay overlay -o "lowerdir=$work/lower,upperdir=$work/upper,workdir=$work/work" "$work/merged" 2> /dev/null; then
        umount "$work/merged"
        driver=overlay
    fi
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' \
        "$driver" "$work/graph" "$work/run" > "$work/storage.conf"
    cat > "$work/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$work/tmp"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
CONF
    # podman-compose hands dependencies on to podman, and podman 4.3 cannot start what depends on something that depends on
    # something; podman-compose waits for them itself.
    cat > "$work/podman" << 'WRAPPER'
#!/usr/bin/env bash
kept=()
for argument in "$@"; do
    [[ "$argument" == --requires=* ]] || kept+=("$argument")
done
exec podman "${kept[@]}"
WRAPPER
    chmod +x "$work/podman"
    export CONTAINERS_STORAGE_CONF="$work/storage.conf" CONTAINERS_CONF="$work/containers.conf"
}

# Ends and removes what was started under $work, and nothing else.
remove_all() {
    podman rm --all --force --volumes --time 2 > /dev/null 2>&1 || true
    podman network ls --quiet 2> /dev/null | grep -v '^podman$' | xargs --no-run-if-empty podman network rm --force > /dev/null 2>&1 || true
    # Podman's name server outlives the last network. If none ran before, it is ours.
    if [[ -z "$name_server" && -s "$name_server_file" ]]; then
        kill "$(cat "$name_server_file")" 2> /dev/null || true
    fi
    # innermost first
    awk -v "under=$work/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r | xargs --no-run-if-empty umount 2> /dev/null || true
    rm -rf "$work"
}

# localhost/base: Debian with its Python (3.11, the oldest that is supported), made once a machine.
base_image() {
    local root="$cache/debian-bookworm" pip=()
    if [[ ! -e "$root.tar" ]]; then
        rm -rf "$root"
        debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,curl,wget bookworm "$root" > "$work/debootstrap.log"
        rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
        # A machine behind an inspecting proxy has that proxy's authority: pip and Node inside a build must know it, too.
        cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
        tar -C "$root" -cf "$root.part" .
        mv "$root.part" "$root.tar"
        rm -rf "$root"
    fi
    podman import --quiet --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' \
        --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' "$root.tar" localhost/base > /dev/null
}

# build FILE IMAGE CONTEXT [MORE]: prints only when it fails.
build() {
    local file="$1" image="$2" context="$3"
    shift 3
    echo "building $image"
    buildah bud --isolation chroot --runtime runc --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --format docker \
        --pull-never --build-arg PYTHON_IMAGE=localhost/base --file "$file" --tag "$image" "$@" "$context" \
        > "$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; return 1; }
}
