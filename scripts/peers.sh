#!/bin/sh
# Lays the peers of `make bench` under tools/: srt and its node from npm (pinned, with integrity), mitmproxy and
# detect-secrets from PyPI (pinned, with hashes) each in a venv of its own, gitleaks from sid (pinned), docker and
# squid from Debian's packages, unpacked and not installed, so that no service starts and no package of the host
# changes.
set -eu
cd "$(dirname "$0")/.."
mkdir -p tools/bench
stamp=$(cat bench/peers/package-lock.json bench/peers/*.lock scripts/peers.sh scripts/gitleaks.sh | sha256sum | cut -d' ' -f1)
[ "$(cat tools/bench/.stamp 2>/dev/null)" = "$stamp" ] && exit 0
status=0

rm -rf tools/bench/npm && mkdir -p tools/bench/npm
cp bench/peers/package.json bench/peers/package-lock.json tools/bench/npm/
if ! (cd tools/bench/npm && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
    echo "peers: srt could not be installed from npm" >&2
    status=1
fi

for peer in mitmproxy detect-secrets; do
    rm -rf "tools/bench/$peer"
    if ! { .venv/bin/python -m venv "tools/bench/$peer" &&
        "tools/bench/$peer/bin/python" -m pip --disable-pip-version-check --quiet install --require-hashes \
            -r "bench/peers/$peer.lock" >"tools/bench/$peer.log" 2>&1; }; then
        echo "peers: $peer could not be installed from PyPI (tools/bench/$peer.log)" >&2
        rm -rf "tools/bench/$peer"
        status=1
    fi
done
scripts/gitleaks.sh || status=1

# Debian's packages into tools/bench/NAME: unpacked NAME PACKAGE... The libraries are those that a minimal
# system may lack; apt checks the archive's signature on each file.
unpacked() {
    name=$1
    shift
    rm -rf tools/bench/debs "tools/bench/$name" && mkdir -p tools/bench/debs "tools/bench/$name"
    if (cd tools/bench/debs && apt-get -q download "$@") >/dev/null; then
        for file in tools/bench/debs/*.deb; do dpkg-deb -x "$file" "tools/bench/$name"; done
    else
        echo "peers: $name could not be fetched with apt-get download" >&2
        status=1
    fi
    rm -rf tools/bench/debs
}
unpacked docker docker.io containerd runc libdevmapper1.02.1 libseccomp2
unpacked squid squid-openssl squid-common squid-langpack libecap3 libltdl7 libtdb1 libdb5.3 libmnl0 libnfnetlink0 \
    libnetfilter-conntrack3 libldap-2.5-0 libsasl2-2 libnettle8 libgssapi-krb5-2 libkrb5-3 libk5crypto3 \
    libkrb5support0 libkeyutils1
[ "$status" = 0 ] && echo "$stamp" >tools/bench/.stamp
exit 0
