#!/bin/sh
# Lays the peers of `make bench` under tools/: srt and its node from npm (pinned, with integrity), mitmproxy from
# PyPI (pinned, with hashes) in a venv of its own, docker and squid from Debian's packages, unpacked and not
# installed, so that no service starts and no package of the host changes.
set -eu
cd "$(dirname "$0")/.."
mkdir -p tools/bench
stamp=$(cat bench/peers/package-lock.json bench/peers/mitmproxy.lock scripts/peers.sh | sha256sum | cut -d' ' -f1)
[ "$(cat tools/bench/.stamp 2>/dev/null)" = "$stamp" ] && exit 0
status=0

rm -rf tools/bench/npm && mkdir -p tools/bench/npm
cp bench/peers/package.json bench/peers/package-lock.json tools/bench/npm/
if ! (cd tools/bench/npm && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
    echo "peers: srt could not be installed from npm" >&2
    status=1
fi

rm -rf tools/bench/mitmproxy
if ! { .venv/bin/python -m venv tools/bench/mitmproxy &&
    tools/bench/mitmproxy/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
        -r bench/peers/mitmproxy.lock >tools/bench/mitmproxy.log 2>&1; }; then
    echo "peers: mitmproxy could not be installed from PyPI (tools/bench/mitmproxy.log)" >&2
    rm -rf tools/bench/mitmproxy
    status=1
fi

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
