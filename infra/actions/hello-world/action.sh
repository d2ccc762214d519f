#!/bin/sh
# Says hello, and that standard error is kept too.
set -eu
. /lib/action.sh
say "Hello from Tinkerbell: $(uname -n), Linux $(uname -r)"
[ -z "${MESSAGE:-}" ] || say "$MESSAGE"
say "it works" >&2
