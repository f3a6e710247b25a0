#!/bin/sh
# Lays OpenSSH's daemon under tools/sshd, for tests that need a real one as upstream: unpacked and not installed,
# since its package starts a service, makes a user and host keys. libwrap0 comes with it, the one library of its
# that a machine with git and python3 may lack.
set -eu
cd "$(dirname "$0")/.."
say() { echo "sshd: $*" >&2; }
[ -x tools/sshd/usr/sbin/sshd ] && exit 0
command -v apt-get >/dev/null 2>&1 || { say "no apt-get here: install OpenSSH's server"; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fetch() { (cd "$scratch" && apt-get -q -o APT::Sandbox::User= download openssh-server libwrap0) >"$scratch/log" 2>&1; }
if ! { fetch || { apt-get -q update >/dev/null 2>&1 && fetch; }; }; then
    tail -n 5 "$scratch/log" >&2
    say "could not be fetched with apt-get download"
    exit 1
fi
mkdir -p "$scratch/sshd"
for package in "$scratch"/*.deb; do
    dpkg-deb -x "$package" "$scratch/sshd"
done
rm -rf tools/sshd && mv "$scratch/sshd" tools/sshd
