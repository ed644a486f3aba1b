#!/bin/sh
# What charms do in the background: wait for something, then fire an event of their own.
unit=$1
sleep 1
exec juju-exec -u "$unit" "JUJU_DISPATCH_PATH=hooks/page_turned $JUJU_CHARM_DIR/dispatch"
