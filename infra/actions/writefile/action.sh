#!/bin/sh
# Writes one file into a file system.
#   DEST_DISK  partition   FS_TYPE  its file system   DEST_PATH  absolute path in it   CONTENTS  text of the file
#   UID GID (0)  owner   MODE (0644)  of the file   DIRMODE (0755)  of folders that have to be made
set -eu
. /lib/action.sh
required DEST_DISK FS_TYPE DEST_PATH
[ -n "${CONTENTS+set}" ] || fail "CONTENTS is not set"
# UID is a variable of the shell itself in some shells; what the action was given is in the environment of this process.
given() { tr '\0' '\n' </proc/$$/environ | sed -n "s/^$1=//p" | head -n 1; }
OWNER=$(given UID) GROUP=$(given GID)
OWNER=${OWNER:-0} GROUP=${GROUP:-0} MODE=${MODE:-0644} DIRMODE=${DIRMODE:-0755}
case $OWNER in *[!0-9]*) fail "UID is \"$OWNER\": use a whole number" ;; esac
case $GROUP in *[!0-9]*) fail "GID is \"$GROUP\": use a whole number" ;; esac
octal MODE
octal DIRMODE
case $FS_TYPE in *[!a-z0-9]*) fail "FS_TYPE is \"$FS_TYPE\": use a file system's name such as ext4" ;; esac
case $DEST_PATH in
  */) fail "DEST_PATH is \"$DEST_PATH\": it names a folder" ;;
  /*) ;;
  *) fail "DEST_PATH is \"$DEST_PATH\": it has to begin with /" ;;
esac
writable_disk DEST_DISK

root=/target
mkdir -p $root
message=$(mount -t "$FS_TYPE" "$disk" $root 2>&1) || fail "DEST_DISK: $disk cannot be mounted as FS_TYPE $FS_TYPE: $message"
trap 'umount $root 2>/dev/null || true' EXIT

owner() { # file systems without owners (vfat) refuse; that matters only when another owner than root was asked for
  chown "$OWNER:$GROUP" "$1" 2>/dev/null || [ "$OWNER:$GROUP" = 0:0 ] || fail "UID, GID: $FS_TYPE keeps no owner $OWNER:$GROUP"
}

# Goes down the path within the file system: a link in it means what it will mean once this is the root file system.
here='' rest=${DEST_PATH#/} links=0
while [ -n "$rest" ]; do
  part=${rest%%/*}
  case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
  case $part in '' | .) continue ;; ..) here=${here%/*}; continue ;; esac
  path=$here/$part
  if [ -L "$root$path" ]; then
    links=$((links + 1))
    [ $links -le 40 ] || fail "DEST_PATH: too many links at $path"
    link=$(readlink "$root$path")
    case $link in /*) here='' rest="${link#/}${rest:+/$rest}" ;; *) rest="$link${rest:+/$rest}" ;; esac
    continue
  fi
  if [ -n "$rest" ]; then
    [ ! -e "$root$path" ] || [ -d "$root$path" ] || fail "DEST_PATH: $path is not a folder"
    if [ ! -d "$root$path" ]; then
      mkdir -m "$DIRMODE" "$root$path" || fail "DEST_PATH: $path cannot be made on $disk"
      owner "$root$path"
    fi
  fi
  here=$path
done
[ ! -d "$root$here" ] || fail "DEST_PATH: $here is a folder"

fresh=$root${here%/*}/.tinkerbell-$$
printf %s "$CONTENTS" >"$fresh" || { rm -f "$fresh"; fail "DEST_PATH: $here cannot be written on $disk"; }
chmod "$MODE" "$fresh"
owner "$fresh"
mv -f "$fresh" "$root$here"
sync
umount $root || fail "DEST_DISK: $disk cannot be unmounted"
trap - EXIT
say "wrote $here (${#CONTENTS} characters) on $disk"
