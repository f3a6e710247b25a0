#!/bin/sh
# Runs a command so that other users can reach this clone: tests that root starts also run as an ordinary
# user, who can't pass a directory of mode 0700 above it (a clone below /root).
#
# Nothing is changed on the host: where an ancestor is closed, the command gets a mount namespace of its own in
# which a passable directory with the same content stands in its place.
set -eu
cd "$(dirname "$0")/.."
closed() {
    path=$1
    while [ "$path" != / ]; do
        [ "$(($(stat -c %a "$path") % 2))" = 1 ] || printf '%s\n' "$path"
        path=$(dirname "$path")
    done | tac
}

if [ "${1:-}" = --inside ]; then
    shift
    here=$(pwd)
    hold=$(mktemp -d)
    mount --make-rprivate /
    closed "$here" | while IFS= read -r directory; do
        mount --rbind "$directory" "$hold"
        mount -t tmpfs -o mode=755 tmpfs "$directory"
        find "$hold" -mindepth 1 -maxdepth 1 | while IFS= read -r entry; do
            name=$directory/${entry##*/}
            if [ -L "$entry" ]; then cp -P "$entry" "$name"
            elif [ -d "$entry" ]; then mkdir "$name" && mount --rbind "$entry" "$name"
            elif [ -f "$entry" ]; then : >"$name" && mount --bind "$entry" "$name"
            fi
        done
        umount -l "$hold"
    done
    rmdir "$hold"
    cd "$here"
    exec "$@"
fi
if [ "$(id -u)" = 0 ] && [ -n "$(closed "$(pwd)")" ] && unshare --mount true 2>/dev/null; then
    exec unshare --mount -- "$0" --inside "$@"
fi
exec "$@"
