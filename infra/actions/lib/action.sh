# Sourced by every action: messages, inputs, disks.

say() {
  if [ "${TEXT_LOGGING:-true}" = false ]; then
    printf '{"time":"%s","msg":"%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(printf %s "$*" | sed 's/[\\"]/\\&/g' | tr '\n' ' ')"
  else
    echo "$*"
  fi
}

fail() {
  say "$*" >&2
  exit 1
}

required() { # required NAME…: each is set and not empty
  for name in "$@"; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || fail "$name is not set"
  done
}

boolean() { # boolean NAME: true or false
  eval "value=\${$1:-}"
  case $value in true | false) ;; *) fail "$1 is \"$value\": use true or false" ;; esac
}

number() { # number NAME: a whole number, at least 0
  eval "value=\${$1:-}"
  case $value in '' | *[!0-9]*) fail "$1 is \"$value\": use a whole number" ;; esac
}

octal() { # octal NAME: file mode such as 0644
  eval "value=\${$1:-}"
  case $value in '' | *[!0-7]*) fail "$1 is \"$value\": use an octal mode such as 0644" ;; esac
}

# Why the block device must not be written, or nothing. It looks at our own mounts, at file systems and claims that the kernel shows
# for the whole machine (an action does not see the host's mount table), and at the disk's partitions.
in_use() {
  device=${1##*/}
  for part in "$device" $(ls "/sys/class/block/$device" 2>/dev/null | grep "^$device"); do
    number=$(cat "/sys/class/block/$part/dev" 2>/dev/null) || continue
    mounted=$(awk -v number="$number" '$3 == number { print $5; exit }' /proc/self/mountinfo)
    [ -z "$mounted" ] || { echo "/dev/$part is mounted on $mounted"; return; }
    for kind in ext4 xfs btrfs f2fs; do
      [ ! -e "/sys/fs/$kind/$part" ] || { echo "/dev/$part is mounted ($kind)"; return; }
    done
    holder=$(ls "/sys/class/block/$part/holders" 2>/dev/null | head -n 1)
    [ -z "$holder" ] || { echo "/dev/$part is part of $holder"; return; }
    ! grep -q "^/dev/$part[^0-9a-z]" /proc/swaps || { echo "/dev/$part is swap space"; return; }
  done
  case $(blockdev --rereadpt "$1" 2>&1) in *[Bb]usy*) echo "$1 or a partition of it is in use" ;; esac
}

writable_disk() { # writable_disk NAME: its value is a block device that nobody uses
  eval "disk=\$$1"
  [ -e "$disk" ] || fail "$1: there is no $disk (is /dev among the task's volumes?)"
  [ -b "$disk" ] || fail "$1: $disk is not a block device"
  disk=$(readlink -f "$disk")
  reason=$(in_use "$disk")
  [ -z "$reason" ] || fail "$1: $reason"
}

json_text() { # json_text TEXT: as a JSON string
  printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g' | tr '\000-\037' ' ')"
}

# outputs JSON: for later actions and the log. Whoever runs the image without a worker has no /workflow and needs none.
outputs() {
  [ -d /workflow ] || return 0
  { echo "$1" >/workflow/.outputs.new && mv -f /workflow/.outputs.new /workflow/outputs.json; } ||
    say "outputs.json could not be written, later actions do not get it" >&2
}

disk_bytes() {
  blockdev --getsize64 "$1"
}

# Zeroes the first and the last MiB: both copies of a partition table, and most file systems' signatures.
wipe_ends() {
  bytes=$(disk_bytes "$1")
  size=$((bytes / 1048576))
  if [ "$size" -le 2 ]; then
    dd if=/dev/zero of="$1" bs=512 count=$((bytes / 512)) conv=notrunc,fsync 2>/dev/null
    return
  fi
  dd if=/dev/zero of="$1" bs=1M count=1 conv=notrunc,fsync 2>/dev/null || return 1
  # The last 2 MiB from a MiB border on, up to the end: a disk's size need not be a multiple of 1 MiB.
  dd if=/dev/zero of="$1" bs=512 seek=$(((size - 1) * 2048)) count=$((bytes / 512 - (size - 1) * 2048)) conv=notrunc,fsync 2>/dev/null
}

reread_partitions() {
  blockdev --flushbufs "$1" 2>/dev/null
  for attempt in 1 2 3 4 5; do
    message=$(blockdev --rereadpt "$1" 2>&1) && return 0
    case $message in *[Bb]usy*) sleep 1 ;; *) return 0 ;; esac # a loop device knows no partitions
  done
  say "partition table of $1 could not be read again: $message"
}
