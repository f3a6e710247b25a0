#!/bin/sh
# Lays atheris, the fuzzer of `make fuzz`, under tools/atheris: pinned, with hashes, from PyPI. It has wheels for
# Linux on x86-64 alone, so that it is no dependency of anything else.
set -eu
cd "$(dirname "$0")/.."
stamp=$(cat tests/dlp/fuzz/atheris.lock | sha256sum | cut -d' ' -f1)
[ "$(cat tools/atheris/.stamp 2>/dev/null)" = "$stamp" ] && exit 0
rm -rf tools/atheris/packages && mkdir -p tools/atheris
.venv/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
    --target tools/atheris/packages -r tests/dlp/fuzz/atheris.lock
echo "$stamp" >tools/atheris/.stamp
