# Start a program with a folder as its root, which nobody can write to, not even root:
#   sh container_root.sh FOLDER USER:GROUP WORKDIR MOUNTS… -- WORDS…
# A mount is SOURCE:TARGET, with :ro behind it for one that nobody may write, or tmpfs:TARGET.
# As in Lambda, there is no shared memory unless it is mounted. To be called in a mount namespace of
# its own (unshare --mount).
set -eu
root=$1 user=$2 home=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom; do
    : > "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
while [ "$1" != -- ]; do
    source=${1%%:*} rest=${1#*:}
    target=$root${rest%%:*}
    shift
    [ "$source" != tmpfs ] || { mount -t tmpfs -o mode=1777 tmpfs "$target"; continue; }
    [ -e "$target" ] || if [ -d "$source" ]; then mkdir -p "$target"; else : > "$target"; fi
    mount --bind "$source" "$target"
    [ "$rest" = "${rest%:ro}" ] || mount -o remount,bind,ro "$target"
done
shift
mount -o remount,ro "$root/dev"
mount -o remount,bind,ro "$root"
exec "$(PATH=/usr/sbin:/usr/bin command -v chroot)" --userspec="$user" --groups= "$root" \
    /bin/sh -c 'cd "$1"; shift; exec "$@"' sh "$home" "$@"
