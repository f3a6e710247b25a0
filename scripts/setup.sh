#!/bin/sh
# Installs what `make try` or `make test` needs; quick when there is nothing to do, safe to repeat.
#
#   scripts/setup.sh try | test | slow | bench
#
# Debian packages are installed when we are root on a system with apt-get; otherwise their names are printed
# and the rest goes on with what is there. Everything else stays inside the clone: .venv and tools/.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-try}
case $kind in try | test | slow | bench) ;; *) echo "usage: $0 try|test|slow|bench" >&2; exit 2 ;; esac
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
export PATH
say() { printf 'setup: %s\n' "$*" >&2; }

# One set-up at a time: `make -j` and two terminals must not write into one .venv.
mkdir -p tools
if command -v flock >/dev/null 2>&1 && [ "${BOT_BOTTLE_SETUP_LOCKED:-}" != 1 ]; then
    BOT_BOTTLE_SETUP_LOCKED=1 exec flock tools/.setup.lock "$0" "$@"
fi

# --- Debian packages: "probe=package", where a probe with a slash is a path, @x a special case, else a program.
needs_try="bwrap=bubblewrap git=git ps=procps curl=curl newuidmap=uidmap unshare=util-linux
    /etc/ssl/certs/ca-certificates.crt=ca-certificates @venv=python3-venv"
needs_test="$needs_try node=nodejs npm=npm openssl=openssl strace=strace ip=iproute2 nft=nftables xz=xz-utils tmux=tmux faketime=faketime
    vim=vim less=less htop=htop ssh=openssh-client"
needs_slow="$needs_test zstd=zstd mmdebstrap=mmdebstrap gnutls-cli=gnutls-bin go=golang-go java=default-jre-headless mvn=maven
    /usr/bin/cargo=cargo cc=gcc /usr/include/stdio.h=libc6-dev /usr/include/openssl/ssl.h=libssl-dev"
needs_bench="$needs_test rg=ripgrep socat=socat
    cc=gcc /usr/include/stdio.h=libc6-dev /usr/include/openssl/ssl.h=libssl-dev"

find_python() {
    # Debian's own first: its prefix is /usr, which every bottle sees anyway.
    for candidate in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

missing() {
    probe=${1%%=*}
    case $probe in
    @venv) python=$(find_python) && "$python" -c 'import ensurepip, venv' 2>/dev/null && return 1 ;;
    */*) [ -s "$probe" ] && return 1 ;;
    *) command -v "$probe" >/dev/null 2>&1 && return 1 ;;
    esac
    return 0
}

packages() {
    eval "needs=\$needs_$kind"
    wanted=
    for need in $needs; do
        if missing "$need"; then wanted="$wanted ${need#*=}"; fi
    done
    printf '%s' "${wanted# }"
}

wanted=$(packages)
if [ -n "$wanted" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing Debian packages: $wanted"
        apt="apt-get -q -y -o DPkg::Lock::Timeout=180 -o Dpkg::Use-Pty=0"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086  # a list of words on purpose
        { $apt update && $apt install --no-install-recommends $wanted; } >tools/apt.log 2>&1 ||
            { tail -n 15 tools/apt.log >&2; say "apt-get failed (tools/apt.log)"; }
    fi
    left=$(packages)
    if [ -n "$left" ]; then
        say "not here: $left"
        if command -v apt-get >/dev/null 2>&1; then
            say "install as root: apt-get install --no-install-recommends $left"
        else
            say "install them with this system's package manager (these are Debian's names)"
        fi
        say "going on with what is here"
    fi
fi

# --- nginx, which tests compare our reading of HTTP with: unpacked only, since its package starts a server on
# port 80. Its libraries are there with python3 and git.
nginx=tools/nginx/usr/sbin/nginx
if [ "$kind" != try ] && ! command -v nginx >/dev/null 2>&1 && ! [ -x "$nginx" ]; then
    say "fetching nginx (0.5 MB)"
    mkdir -p tools/nginx
    fetch='cd tools/nginx && rm -f -- *.deb && apt-get -q download nginx && dpkg-deb -x nginx_*.deb . && rm -f -- *.deb'
    { sh -c "$fetch" || { apt-get -q update && sh -c "$fetch"; }; } >tools/apt.log 2>&1 ||
        say "nginx could not be fetched with apt-get download (tools/apt.log)"
fi

# --- gitleaks, without which no bottle with repositories starts: unpacked only, since Debian has it in sid alone.
if ! command -v gitleaks >/dev/null 2>&1 && ! [ -x tools/gitleaks/usr/bin/gitleaks ]; then
    say "fetching gitleaks (3 MB, and apt's list of sid)"
    scripts/gitleaks.sh || say "without gitleaks nothing goes through the git gate: put 8.20 or newer on PATH"
fi

# --- sshd, which plays an upstream of the git gate: unpacked only, likewise.
if [ "$kind" != try ] && ! [ -x tools/sshd/usr/sbin/sshd ]; then
    scripts/sshd.sh || say "the tests of the git gate need an sshd"
fi

# --- Python: one .venv, the locked dependencies with their hashes, then the project itself.
case $kind in try) lock=requirements.lock stamp=.venv/.setup-try ;; *) lock=requirements-dev.lock stamp=.venv/.setup-test ;; esac
python=$(find_python) || { say "no Python 3.11 or newer: apt-get install python3 python3-venv"; exit 1; }
fingerprint() {
    # The folder counts: the scripts in .venv/bin name it, so a copied or moved clone starts anew.
    { pwd; cat "$1" pyproject.toml src/bot_bottle/__init__.py; } | sha256sum | cut -d' ' -f1
}
current() { [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && [ "$(cat "$2" 2>/dev/null)" = "$(fingerprint "$1")" ]; }

if current "$lock" "$stamp" || { [ "$kind" = try ] && current requirements-dev.lock .venv/.setup-test; }; then
    :
else
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1 || [ "$(cat .venv/.setup-root 2>/dev/null)" != "$(pwd)" ]; then
        rm -rf .venv
        say "making .venv with $python"
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            "$python" -m venv .venv
        elif command -v uv >/dev/null 2>&1; then
            uv venv --quiet --seed --python "$python" .venv
        elif command -v virtualenv >/dev/null 2>&1; then
            virtualenv --quiet --python "$python" .venv
        else
            say "no module venv for $python, and no uv or virtualenv: as root apt-get install python3-venv"
            exit 1
        fi
        pwd >.venv/.setup-root
    fi
    say "installing $lock"
    pip=".venv/bin/python -m pip --disable-pip-version-check --quiet install"
    $pip --require-hashes -r "$lock"
    $pip --no-deps --no-build-isolation --editable .
    fingerprint "$lock" >"$stamp"
fi

# --- Clients that Debian lacks, for the tests of trust: some 90 MB.
if [ "$kind" = slow ]; then
    scripts/clients.sh
fi
