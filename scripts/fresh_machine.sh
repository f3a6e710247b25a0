#!/bin/sh
# Tries the set-up commands on a machine that has nothing of ours: a minimal Debian 12 made by mmdebstrap.
#
#   scripts/fresh_machine.sh [COMMAND]      default: make try, first as a user with nothing installed (says
#                                           what to install), then as root, then as a user again
#
# Needs root. The system is entered with mount and pid namespaces of its own and pivot_root: user namespaces
# can't be made in a plain chroot. Its network is the machine's; nothing outside tools/fresh is written.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
command=${1:-}
[ "$(id -u)" = 0 ] || { echo "fresh_machine: needs root" >&2; exit 77; }
command -v mmdebstrap >/dev/null || { echo "fresh_machine: needs mmdebstrap" >&2; exit 77; }
mkdir -p tools/fresh
base=$here/tools/fresh/bookworm.tar
if [ -z "$(find "$base" -mtime -1 2>/dev/null)" ]; then
    # What a person has who was told "Debian 12, with its Python, make and git".
    mmdebstrap --quiet --variant=minbase --include=python3,make,git,ca-certificates bookworm "$base.new.tar"
    mv "$base.new.tar" "$base"
fi
root=$(mktemp -d "$here/tools/fresh/root.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
tar -C "$root" --numeric-owner -xf "$base"

# How this machine reaches its package sources is its own setting, and goes along; nothing else does.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
    [ -f "$file" ] && cp -L "$file" "$root$file"
done
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \; 2>/dev/null || true
git clone --quiet --no-hardlinks "$here" "$root/usr/src/bot-bottle"

cat >"$root/enter" <<'INNER'
#!/bin/sh
# Runs as the first process of the namespaces, in the new root's directory.
set -eu
mount --make-rprivate /
mount --bind . . && cd .
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    touch "dev/$node" && mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock
exec /bin/sh -c 'pivot_root . . && umount -l / && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root /bin/sh /inside'
INNER

if [ -n "$command" ]; then
    printf 'set -eu\nupdate-ca-certificates >/dev/null 2>&1\ncd /usr/src/bot-bottle\n%s\n' "$command" >"$root/inside"
else
    cat >"$root/inside" <<'INNER'
set -eu
update-ca-certificates >/dev/null 2>&1
useradd --create-home --shell /bin/sh dev
as_user() { setpriv --reuid dev --regid dev --init-groups env -i PATH=/usr/bin:/bin HOME=/home/dev /bin/sh -c "$1"; }
cp -r /usr/src/bot-bottle /home/dev/ && chown -R dev:dev /home/dev/bot-bottle
echo "== as a user, with nothing installed"
if as_user 'cd ~/bot-bottle && make try' >/tmp/said 2>&1; then echo "passed without bubblewrap"; exit 1; fi
cat /tmp/said
grep -q 'install as root: apt-get install .*bubblewrap' /tmp/said
echo "== as root"
cd /usr/src/bot-bottle && make try
echo "== as a user, with the packages"
as_user 'cd ~/bot-bottle && make try'
echo "== passed"
INNER
fi
unshare --mount --pid --fork --kill-child -- /bin/sh -c "cd '$root' && exec /bin/sh ./enter"
