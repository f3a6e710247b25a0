#!/bin/sh
# Lays the peers of `make bench` under tools/: srt and its node from npm (pinned, with integrity), docker from
# Debian's packages, unpacked and not installed, so that no service starts and no package of the host changes.
set -eu
cd "$(dirname "$0")/.."
mkdir -p tools/bench
stamp=$(cat bench/peers/package-lock.json scripts/peers.sh | sha256sum | cut -d' ' -f1)
[ "$(cat tools/bench/.stamp 2>/dev/null)" = "$stamp" ] && exit 0
status=0

rm -rf tools/bench/npm && mkdir -p tools/bench/npm
cp bench/peers/package.json bench/peers/package-lock.json tools/bench/npm/
if ! (cd tools/bench/npm && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
    echo "peers: srt could not be installed from npm" >&2
    status=1
fi

rm -rf tools/bench/debs tools/bench/docker && mkdir -p tools/bench/debs tools/bench/docker
# The libraries are those that a minimal system may lack; apt checks the archive's signature on each file.
if (cd tools/bench/debs && apt-get -q download docker.io containerd runc libdevmapper1.02.1 libseccomp2) >/dev/null; then
    for file in tools/bench/debs/*.deb; do dpkg-deb -x "$file" tools/bench/docker; done
else
    echo "peers: docker could not be fetched with apt-get download" >&2
    status=1
fi
rm -rf tools/bench/debs
[ "$status" = 0 ] && echo "$stamp" >tools/bench/.stamp
exit 0
