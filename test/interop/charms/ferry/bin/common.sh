#!/bin/sh
# All hooks are this file under their own names; what it does is found by the name it was started by.
set -e
hook=$(basename "$0")
juju-log "ferry $hook args=$# cwd=$(pwd) dispatch=$JUJU_DISPATCH_PATH name=$JUJU_HOOK_NAME home=${HOME-none}"

case $hook in
install)
    application-version-set 7.1
    echo "casting off"
    echo "mind the gap" >&2
    ;;
hold-storage-attached)
    echo empty > "$JUJU_STORAGE_LOCATION/log"
    ;;
config-changed)
    if [ "$(config-get captain)" = Ahab ]; then
        echo "no whaling" >&2
        exit 1
    fi
    open-port 7000/tcp
    for relation in $(relation-ids crossing); do
        if is-leader | grep -q True; then
            relation-set -r "$relation" --app fare="$(config-get fare)"
        fi
    done
    toll=$(config-get toll)
    [ -z "$toll" ] || secret-get "$toll" word > hold.secret
    status-set active "$(config-get captain) steers"
    ;;
crossing-relation-created)
    if is-leader | grep -q True; then
        relation-set --app fare="$(config-get fare)"
    fi
    ;;
landing-relation-changed)
    status-set active "fare $(relation-get --app fare "$JUJU_REMOTE_APP")"
    ;;
landing-relation-broken)
    status-set waiting "for a crossing"
    ;;
esac
