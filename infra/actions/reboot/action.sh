#!/bin/sh
# Asks the worker to reboot the machine, which it does once this action's success is in the log.
set -eu
. /lib/action.sh
[ -d /workflow ] || fail "there is no /workflow: only a Tinkerbell worker can be asked to reboot"
: >/workflow/reboot || fail "/workflow/reboot cannot be written"
say "reboot requested"
