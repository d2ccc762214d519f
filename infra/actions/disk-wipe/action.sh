#!/bin/sh
# Wipes disks: discards every block where the disk can, and zeroes what says "here is something" on the disk and its partitions.
#   DISKS  devices separated by spaces or commas, or "all": every fixed disk. One that is in use stops the action before anything is wiped.
# Outputs: disks (those wiped).
set -eu
. /lib/action.sh
required DISKS

fixed_disks() {
  for block in /sys/block/*; do
    case ${block##*/} in loop* | ram* | zram* | sr* | fd* | nbd* | md* | dm-*) continue ;; esac
    [ "$(cat "$block/removable")" = 0 ] && [ "$(cat "$block/size")" -gt 0 ] && echo "/dev/${block##*/}"
  done
  return 0
}

disks=$(echo "$DISKS" | tr ',' ' ')
[ "$DISKS" != all ] || disks=$(fixed_disks)
[ -n "$(echo $disks)" ] || fail "DISKS: this machine has no fixed disk"
for DISK in $disks; do
  [ -b "$DISK" ] || fail "DISKS: $DISK is not a block device"
  reason=$(in_use "$DISK")
  [ -z "$reason" ] || fail "DISKS: $reason"
done

wiped=
for disk in $disks; do
  device=${disk##*/}
  for part in $(ls "/sys/class/block/$device" | grep "^$device"); do
    [ -b "/dev/$part" ] && { wipe_ends "/dev/$part" || fail "DISKS: /dev/$part cannot be written"; }
  done
  how="both ends zeroed"
  if blkdiscard "$disk" 2>/dev/null; then how="all blocks discarded, both ends zeroed"; fi
  wipe_ends "$disk" || fail "DISKS: $disk cannot be written"
  sync
  reread_partitions "$disk"
  say "$disk wiped: $how ($(disk_bytes "$disk") bytes)"
  wiped=$wiped${wiped:+,}$(json_text "$disk")
done
outputs "{\"disks\":[$wiped]}"
