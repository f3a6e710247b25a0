#!/bin/sh
# Lays the clients of tests/e2e/test_trust.py that Debian lacks under tools/clients: deno and a current node, from
# npm, pinned with integrity. No script of theirs is run here.
set -eu
cd "$(dirname "$0")/.."
stamp=$(cat tests/e2e/clients/package-lock.json scripts/clients.sh | sha256sum | cut -d' ' -f1)
[ "$(cat tools/clients/.stamp 2>/dev/null)" = "$stamp" ] && exit 0

rm -rf tools/clients && mkdir -p tools/clients
cp tests/e2e/clients/package.json tests/e2e/clients/package-lock.json tools/clients/
if (cd tools/clients && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
    chmod -R a+rX tools/clients
    echo "$stamp" >tools/clients/.stamp
else
    echo "clients: deno and node could not be installed from npm" >&2
fi
