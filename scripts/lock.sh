#!/bin/sh
# Writes requirements.lock and requirements-dev.lock from pyproject.toml, and the locks of the peers from PyPI that
# `make bench` measures us against and of the fuzzer; `--check` only compares.
#
# Versions already locked stay as they are (`--upgrade` takes the newest). No line names an index: where the
# packages come from is the business of the machine that installs them, what they must be is in the hashes.
set -eu
cd "$(dirname "$0")/.."
check= upgrade=
for option in "$@"; do
    case $option in
    --check) check=1 ;;
    --upgrade) upgrade=--upgrade ;;
    *) echo "usage: $0 [--check] [--upgrade]" >&2; exit 2 ;;
    esac
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
compile() {
    # Python's oldest supported version, every platform: one file serves them all.
    .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-header --no-emit-index-url --no-emit-find-links $upgrade "$@"
}
mkdir -p "$scratch/bench/peers" "$scratch/tests/dlp/fuzz"
peers="bench/peers/mitmproxy bench/peers/detect-secrets tests/dlp/fuzz/atheris"
locks="requirements.lock requirements-dev.lock"
for peer in $peers; do locks="$locks $peer.lock"; done
for name in $locks; do
    [ -f "$name" ] && cp "$name" "$scratch/$name"
done
compile pyproject.toml --group build --output-file "$scratch/requirements.lock" >/dev/null
compile pyproject.toml --group build --group dev --constraint "$scratch/requirements.lock" \
    --output-file "$scratch/requirements-dev.lock" >/dev/null
for peer in $peers; do compile "$peer.in" --output-file "$scratch/$peer.lock" >/dev/null; done
for name in $locks; do
    if [ -n "$check" ]; then
        cmp -s "$name" "$scratch/$name" || { echo "$name is not in step with what is asked for: run 'make lock'" >&2; exit 1; }
    else
        cp "$scratch/$name" "$name"
    fi
done
