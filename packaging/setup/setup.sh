#!/bin/sh
# Makes a source tree ready, from a bare Debian 12 or 13 on: Debian's packages, .venv with the locked Python packages,
# Toru itself, and the web manager, built with the locked Node.js packages. Does what is missing, and nothing when nothing is.
# Usage: setup.sh run|deb|test|bench
set -eu
umask 022 # plugins and units run as users of their own, and execute what lies in .venv
cd "$(dirname "$0")/../.."

purpose=${1:?run, deb, test or bench}
# Never a Python from PATH: what lies in somebody's home is closed to other users.
python=/usr/bin/python3
log=build/log/setup.log

say() { printf 'toru: %s\n' "$*"; }
fail() {
    printf 'toru: %s\n' "$*" >&2
    exit 1
}
# Without the lock, which a daemon that a package starts would keep for ever.
logged() { "$@" </dev/null >>"$log" 2>&1 9>&-; }

# --- Debian packages

for_run="systemd dbus polkitd libnss-systemd util-linux libsystemd-dev pkg-config gcc libc6-dev python3 python3-dev python3-venv"
for_deb="debootstrap debian-archive-keyring"
for_test="curl fonts-noto-color-emoji postgresql shellcheck wrk"

# The examples are built with what is there, if it is new enough. Debian 12 keeps a newer Rust beside its own, for its browsers.
rust_from=1.85
go_from=1.19

# What tests press keys in, show manual pages with, and make certificates by.
for_ops="bash-completion fish man-db mandoc openssl zsh"

is_at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

compilers() {
    if ! command -v cargo >/dev/null || ! is_at_least "$rust_from" "$(rustc --version 2>/dev/null | cut -d ' ' -f 2)"; then
        if apt-cache show cargo-web >/dev/null 2>&1; then echo rustc-web cargo-web; else echo rustc cargo; fi
    fi
    if ! command -v go >/dev/null || ! is_at_least "go$go_from" "$(go env GOVERSION 2>/dev/null)"; then echo golang-go; fi
}

wanted() {
    echo "$for_run"
    compilers
    # Somebody's Node.js from elsewhere brings its own npm, which Debian's package would be in the way of.
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    [ "$purpose" != run ] || return 0
    echo "$for_deb"
    [ "$purpose" != deb ] || return 0
    echo "$for_test"
    echo "$for_ops"
    # Tests start an engine themselves where none answers. Somebody's Docker from elsewhere stays: the two can't be
    # installed together. A client alone, which some machines have, is no engine.
    if ! [ -x /usr/sbin/dockerd ] && ! command -v dockerd >/dev/null && ! docker info >/dev/null 2>&1; then
        echo docker.io
        # From Debian 13 on the command is a package of its own.
        if apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; fi
    fi
    command -v chromium >/dev/null || echo chromium
}

missing() {
    # shellcheck disable=SC2046 # a list of names
    set -- $(wanted)
    # shellcheck disable=SC2016 # dpkg's variables
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p')
    for package; do
        printf '%s\n' "$installed" | grep -qxF "$package" || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then logged "$@"; else logged sudo "$@"; fi
}

install_debian_packages() {
    list=$(missing)
    [ -n "$list" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            fail "Toru's set-up needs root to install Debian packages ($(flat "$list")): run it as root, or install sudo."
        # Asks for the password here, while the person is there to see it.
        sudo -v || fail "Toru's set-up needs root to install Debian packages ($(flat "$list")), and sudo says no."
    fi
    say "Debian packages: reading what there is"
    # One broken source among several need not matter: what is really missing shows when it is installed.
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update || true
    list=$(missing) # apt may know more packages now
    say "Debian packages: installing $(flat "$list")"
    # --no-remove: set-up must not take anything away from anybody's machine.
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 install $list && return 0
    ! grep -q '^[EW]: Failed to fetch' "$log" || fail "Toru's set-up could not download its Debian packages: $log says why."
    unknown=$(sed -n "s/^E: \(Unable to locate package\|Package '\)[ ]*\([^ ']*\).*/\2/p" "$log")
    [ -z "$unknown" ] ||
        fail "Toru's set-up needs the Debian package $(flat "$unknown"), which this machine's apt sources don't have ($log)."
    fail "Toru's set-up could not install its Debian packages ($(flat "$list")): $log says why."
}

# What the benchmarks compare Toru with is unpacked, not installed: those packages would start servers on this machine.
# Where it can't be had, they go without.
peers="nginx haproxy"
peers_from_npm="configurable-http-proxy@5.3.0"

unpack_peers() {
    key="$peers $peers_from_npm"
    [ "$(cat build/peers/key 2>/dev/null)" != "$key" ] || return 0
    say "Peers of the benchmarks: unpacking $peers in build/peers"
    rm -rf build/peers
    mkdir -p build/peers/archives/partial
    # shellcheck disable=SC2086 # a list of names
    as_root apt-get -q -y --no-install-recommends --download-only -o DPkg::Lock::Timeout=300 \
        -o Dir::Cache::archives="$PWD/build/peers/archives" install $peers || return 0
    for package in build/peers/archives/*.deb; do
        [ ! -e "$package" ] || logged dpkg-deb -x "$package" build/peers
    done
    if command -v npm >/dev/null; then
        logged npm install --silent --no-audit --no-fund --prefix build/peers/npm "$peers_from_npm" || return 0
    fi
    echo "$key" >build/peers/key
}

# Servers that tests put before Toru are unpacked for the same reason.
servers="nginx caddy"

unpack_servers() {
    [ "$(cat build/servers/key 2>/dev/null)" != "$servers" ] || return 0
    say "Servers of the tests: unpacking $servers in build/servers"
    rm -rf build/servers
    mkdir -p build/servers
    fetch_servers || { as_root apt-get -q -o DPkg::Lock::Timeout=300 update && fetch_servers; } ||
        fail "Toru's set-up could not download the Debian packages $servers: $log says why."
    for package in build/servers/*.deb; do
        logged dpkg-deb -x "$package" build/servers
        rm "$package"
    done
    echo "$servers" >build/servers/key
}

fetch_servers() {
    # shellcheck disable=SC2086 # a list of names
    logged env -C build/servers apt-get -q download $servers
}

flat() { echo "$1" | tr '\n' ' ' | sed 's/ $//'; }

# --- Python packages

check_python() {
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    case $version in
    3.[0-9] | 3.10) fail "Toru needs Python 3.11 or newer, and $python is $version: use Debian 12 or newer." ;;
    esac
}

make_venv() {
    # Its scripts name the tree's path, its packages are built for one Python.
    base="$PWD $version"
    if [ "$(cat .venv/base 2>/dev/null)" != "$base" ] || ! .venv/bin/python -c '' 2>/dev/null; then
        say "Python: making .venv from $python"
        rm -rf .venv
        logged "$python" -m venv .venv || fail "Toru's set-up could not make .venv: $log says why."
        echo "$base" >.venv/base
    fi
}

pip() { logged .venv/bin/python -m pip --disable-pip-version-check install --no-input --no-deps "$@"; }

install_python_packages() {
    key=$(cat packaging/lock.txt packaging/lock-build.txt pyproject.toml packaging/setup/setup.sh | sha256sum)
    [ "$(cat .venv/key 2>/dev/null)" != "$key" ] || return 0
    say "Python: installing the packages of packaging/lock.txt"
    # Wheels only, but for three that have none: two are compiled against this machine's libsystemd.
    # What they are built with comes first, locked as well.
    {
        pip --require-hashes --only-binary :all: -r packaging/lock-build.txt &&
            pip --require-hashes --only-binary :all: --no-binary pystemd,systemd-python,sdnotify \
                --no-build-isolation -r packaging/lock.txt
    } || {
        ! grep -qE '(Connection|Timeout|SSL|HTTP).*Error|No matching distribution' "$log" ||
            fail "Toru's set-up could not download its Python packages: $log says why."
        fail "Toru's set-up could not install its Python packages: $log says why."
    }
    say "Python: installing Toru"
    pip --no-build-isolation --editable . || fail "Toru's set-up could not install Toru itself: $log says why."
    echo "$key" >.venv/key
}

# --- the web manager

check_node() {
    version=$(node --version)
    major=${version#v}
    [ "${major%%.*}" -ge 18 ] || fail "Toru's web manager needs Node.js 18 or newer to be built, and $(command -v node) is $version."
}

install_node_packages() {
    key=$(cat frontend/package.json frontend/package-lock.json | sha256sum)
    [ "$(cat frontend/node_modules/.key 2>/dev/null)" != "$key" ] || return 0
    say "Node.js: installing the packages of frontend/package-lock.json"
    # Without their scripts: none is needed, and none should run that nobody has read.
    logged npm ci --prefix frontend --ignore-scripts --no-audit --no-fund --no-update-notifier ||
        fail "Toru's set-up could not install its Node.js packages: $log says why."
    echo "$key" >frontend/node_modules/.key
}

build_manager() {
    key=$(find frontend -name node_modules -prune -o -type f -print | LC_ALL=C sort | xargs sha256sum | sha256sum)
    [ "$(cat build/www.key 2>/dev/null)" != "$key" ] || [ ! -d build/www ] || return 0
    say "building the web manager"
    logged npm run --prefix frontend --no-update-notifier build ||
        fail "Toru's set-up could not build the web manager: $log says why."
    echo "$key" >build/www.key
}

# --- all of it

unset PYTHONHOME PYTHONPATH PIP_PREFIX PIP_TARGET PIP_USER
if ! mkdir -p build/log 2>/dev/null || ! true 2>/dev/null >"$log"; then
    fail "Toru's set-up can't write $PWD/$log: give the tree to yourself, or clone it anew."
fi
for command in apt-get apt-cache dpkg-query; do
    command -v "$command" >/dev/null || fail "Toru's set-up needs apt, because it installs Debian packages: use Debian 12 or newer."
done
[ ! -x "$python" ] || check_python

exec 9>build/setup.lock # two at a time would spoil each other's .venv
flock 9
# Root at work in somebody's tree leaves it theirs.
[ "$(id -u)" != 0 ] || trap '/usr/bin/python3 packaging/setup/run.py true' EXIT

install_debian_packages
[ "$purpose" != bench ] || unpack_peers
[ "$purpose" != test ] || unpack_servers
check_python
make_venv
install_python_packages
check_node
install_node_packages
build_manager
