#!/bin/sh
# Becomes the first process of a machine: new namespaces, its files an overlay of this host's.
#
#   unshare --mount --uts --ipc --net --pid sh start-machine.sh DATA ID HOSTNAME LAYERS [MOUNT…]
#
# DATA the sandbox's directory (no symbolic links in it), LAYERS `disk` or `memory`: where changed
# files are kept. MOUNT: file systems of the host besides `/` that the machine sees too, outermost
# first. Says `ready` on standard output once everything is in place.
#
# Nothing may be forked before the block below: the first child is the first process of the new
# process namespace, and the namespace ends with it.
{
    set -eu
    data=$1 machine=$1/machines/$2 hostname=$3 layers=$1/machines/$2/layers kind=$4
    shift 4
    root=$machine/root

    # /proc is still that of the host, and so names this process as the host does.
    read -r stat </proc/self/stat
    printf '%s\n' "$stat" >"$machine/init.stat"

    mkdir -p "$root" "$layers" "$machine/agents" "$machine/tmp"
    chmod 711 "$machine/agents"
    chmod 1777 "$machine/tmp"
    if [ "$kind" = memory ]; then
        mount -t tmpfs -o mode=700 tmpfs "$layers"
    fi
    number=0
    for place in / "$@"; do
        mkdir -p "$layers/$number/upper" "$layers/$number/work"
        # The top of a file system has the owner and mode that the host gave it.
        chmod --reference="$place" "$layers/$number/upper"
        chown --reference="$place" "$layers/$number/upper"
        mount -t overlay -o \
            "lowerdir=$place,upperdir=$layers/$number/upper,workdir=$layers/$number/work" \
            overlay "$root$place"
        number=$((number + 1))
    done
    cd "$root"
    mkdir -p proc sys dev run tmp

    mount -t proc proc proc
    printf '%s\n' "$hostname" >proc/sys/kernel/hostname
    # Settings of the kernel are the host's, but for those of the network, which is the machine's.
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount --bind proc/sys/net proc/sys/net
    mount -o remount,bind,rw proc/sys/net
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys

    mount -t tmpfs -o mode=755,nosuid tmpfs dev
    for name in null zero full random urandom tty fuse; do
        if [ -e "/dev/$name" ]; then
            : >"dev/$name"
            mount --bind "/dev/$name" "dev/$name"
        fi
    done
    mkdir dev/pts dev/shm dev/mqueue
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    ln -s /proc/self/fd/0 dev/stdin
    ln -s /proc/self/fd/1 dev/stdout
    ln -s /proc/self/fd/2 dev/stderr

    # Directories of /run that packages expect to be there, without what the host's services put in.
    mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
    for directory in /run/*/; do
        name=${directory#/run/}
        name=${name%/}
        case $name in
            systemd | user | '*') ;;
            *)
                mkdir "run/$name"
                chmod --reference="$directory" "run/$name"
                chown --reference="$directory" "run/$name"
                ;;
        esac
    done
    mkdir -p run/lock
    chmod 1777 run/lock
    mount --bind "$machine/tmp" tmp

    # Of the sandbox a machine sees its own units, the hook tools and the socket they speak to.
    mkdir -p "$root$data"
    mount -t tmpfs -o mode=711,size=64k tmpfs "$root$data"
    for name in tools run; do
        mkdir "$root$data/$name"
        mount --bind "$data/$name" "$root$data/$name"
    done
    mkdir "$root$data/agents"
    mount --bind "$machine/agents" "$root$data/agents"

    if [ -d "$machine/etc" ]; then
        for file in "$machine"/etc/*; do
            [ -f "$file" ] || continue
            rm -f "etc/${file##*/}"
            cp "$file" "etc/${file##*/}"
        done
        # What is kept in memory has to be written again at the next start.
        [ "$kind" = memory ] || rm -r "$machine/etc"
        ln -sfn "$data/tools/juju-exec" usr/bin/juju-exec
        mkdir -p var/lib/juju
        for name in agents tools; do
            rm -rf "var/lib/juju/$name"
            ln -s "$data/$name" "var/lib/juju/$name"
        done
    fi

    mkdir run/.host
    pivot_root . run/.host
    cd /
    umount -l /run/.host
    rmdir /run/.host
    echo ready
    # Children of an init that ignores their end are cleared away by the kernel.
    trap '' CHLD
    exec sleep infinity </dev/null >/dev/null 2>&1
} </dev/null &
