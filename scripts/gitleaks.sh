#!/bin/sh
# Lays gitleaks under tools/gitleaks, unpacked and not installed. Debian has it in sid only: its package is fetched
# through a source of its own, on the mirror that this machine's apt uses already and with lists of its own, so
# that nothing of the host's apt changes. It is a static program.
set -eu
cd "$(dirname "$0")/.."
version=8.26.0-1+b1
sha256=b228ade47a811ffc94d258bd84b1c257458b4e81e37c55201c9d912c0e01bfdb
say() { echo "gitleaks: $*" >&2; }
[ "$(cat tools/gitleaks/.stamp 2>/dev/null)" = "$sha256" ] && exit 0
command -v apt-get >/dev/null 2>&1 || { say "no apt-get here: put gitleaks 8.20 or newer on PATH"; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# shellcheck disable=SC2016  # apt's own placeholders
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
    awk '$2 ~ /^(bookworm|trixie|sid)$/ { print $1; exit }')
[ -n "$mirror" ] || { say "apt has no list of Debian itself: run apt-get update"; exit 1; }
mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/parts"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$scratch/sid.list"
apt="apt-get -q -o Dir::Etc::sourcelist=$scratch/sid.list -o Dir::Etc::sourceparts=$scratch/parts
    -o Dir::State::lists=$scratch/lists -o Dir::Cache=$scratch/cache -o Acquire::Languages=none
    -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User="
# shellcheck disable=SC2086  # a list of words on purpose
if ! { $apt update && cd "$scratch" && $apt download "gitleaks=$version"; } >"$scratch/log" 2>&1; then
    tail -n 5 "$scratch/log" >&2
    say "version $version could not be fetched from sid"
    exit 1
fi
cd "$OLDPWD"
echo "$sha256  $(ls "$scratch"/gitleaks_*.deb)" | sha256sum --check --quiet || { say "not the package that is pinned"; exit 1; }
rm -rf tools/gitleaks && mkdir -p tools/gitleaks
dpkg-deb -x "$scratch"/gitleaks_*.deb tools/gitleaks
echo "$sha256" >tools/gitleaks/.stamp
