#!/bin/sh
# Streams a disk image from a web server to a disk.
#   IMG_URL     http(s) address of the image; gz, xz, zst and bz2 are unpacked, by suffix
#   DEST_DISK   block device
#   COMPRESSED  true: there has to be such a suffix; false: written as it is; default: by suffix
#   CHECKSUM    sha256:<hex> of the file that is downloaded (also SHA256 or IMG_SHA256=<hex>)
#   RETRY_ENABLED (false)  resume a broken download, for RETRY_DURATION_MINUTES (10) at most
#   PROGRESS_INTERVAL_SECONDS (3)   TEXT_LOGGING (true)
# Outputs: bytes (written to the disk), sha256 (of the download), disk, seconds.
# The image's first MiB, with the partition table, is written last, after the checksum: a bad or half-written image never boots.
set -eu
. /lib/action.sh
required IMG_URL DEST_DISK
RETRY_ENABLED=${RETRY_ENABLED:-false} RETRY_DURATION_MINUTES=${RETRY_DURATION_MINUTES:-10}
PROGRESS_INTERVAL_SECONDS=${PROGRESS_INTERVAL_SECONDS:-3} TEXT_LOGGING=${TEXT_LOGGING:-true}
boolean RETRY_ENABLED
boolean TEXT_LOGGING
number RETRY_DURATION_MINUTES
number PROGRESS_INTERVAL_SECONDS
[ "$PROGRESS_INTERVAL_SECONDS" -gt 0 ] || PROGRESS_INTERVAL_SECONDS=1
case $IMG_URL in http://?* | https://?*) ;; *) fail "IMG_URL is \"$IMG_URL\": use an http:// or https:// address" ;; esac

[ -z "${SHA256:-}" ] || CHECKSUM=sha256:$SHA256
[ -z "${IMG_SHA256:-}" ] || CHECKSUM=sha256:$IMG_SHA256
wanted=$(echo "${CHECKSUM:-}" | tr 'A-F' 'a-f')
case $wanted in
  '') ;;
  sha256:*[!0-9a-f]*) fail "CHECKSUM is \"$CHECKSUM\": use sha256:<64 hexadecimal digits>" ;;
  sha256:????????????????????????????????????????????????????????????????) ;;
  *) fail "CHECKSUM is \"$CHECKSUM\": use sha256:<64 hexadecimal digits>" ;;
esac

unpack=cat
path=${IMG_URL%%[?#]*}
if [ "${COMPRESSED:-}" != false ]; then
  case $path in
    *.gz | *.gzip) unpack="gunzip -c" ;;
    *.xz) unpack="xz -dc" ;;
    *.zst | *.zstd) unpack="zstd -dcq" ;;
    *.bz2 | *.bzip2) unpack="bunzip2 -c" ;;
    *) [ "${COMPRESSED:-}" != true ] || fail "COMPRESSED is true, but IMG_URL ends in none of .gz .xz .zst .bz2" ;;
  esac
fi
[ -z "${COMPRESSED:-}" ] || boolean COMPRESSED
writable_disk DEST_DISK
capacity=$(disk_bytes "$disk")
[ "$capacity" -gt 0 ] || fail "DEST_DISK: $disk has no space at all (no medium?)"

work=$(mktemp -d)
trap 'rm -rf "$work"; kill $(jobs -p) 2>/dev/null || true' EXIT
deadline=$(($(date +%s) + RETRY_DURATION_MINUTES * 60))

# Writes the whole file to standard output, over as many connections as it takes; leaves the reason in $work/fault if it cannot.
download() {
  offset=0 pause=1
  while :; do
    if [ $offset -gt 0 ]; then set -- -C $offset; else set --; fi
    [ $offset = 0 ] || [ ! -s "$work/etag" ] || set -- "$@" -H "If-Range: $(cat "$work/etag")"
    echo $offset >"$work/offset"
    status=0
    # --speed-*: a connection that delivers nothing for 30 s is broken too.
    curl -sS -f -L --connect-timeout 10 --speed-time 30 --speed-limit 1 -D "$work/headers" \
      -w '%{stderr}%{http_code} %{size_download}\n' "$@" "$IMG_URL" 2>"$work/said" &
    echo $! >"$work/curl"
    wait $! || status=$?
    rm -f "$work/curl"
    summary=$(tail -n 1 "$work/said")
    offset=$((offset + ${summary##* }))
    echo $offset >"$work/offset"
    [ $status != 0 ] || return 0
    code=${summary%% *}
    reason=$(sed '$d' "$work/said" | tail -n 1)
    remember_first_answer
    # 33: the server cannot resume, or the file is another one now. 23: nobody reads what we write.
    case "$status $code" in
      33\ * | 22\ 416)
        echo "the download broke at $offset bytes and cannot be resumed there" >"$work/fault"
        [ "$RETRY_ENABLED" = false ] || : >"$work/restart"
        return 1
        ;;
      23\ *) return 1 ;;
      22\ 408 | 22\ 425 | 22\ 429) ;;
      22\ 4*) echo "IMG_URL: the server answers $code for $IMG_URL" >"$work/fault"; return 1 ;;
    esac
    if [ "$RETRY_ENABLED" = false ] || [ "$(date +%s)" -ge $deadline ]; then
      echo "the download broke at $offset bytes: ${reason:-HTTP $code}" >"$work/fault"
      return 1
    fi
    say "download interrupted at $offset bytes (${reason:-HTTP $code}), going on in $pause s" >&3
    sleep $pause
    [ $pause -ge 16 ] || pause=$((pause * 2))
  done
}

remember_first_answer() {
  [ -e "$work/etag" ] || sed -n 's/^[Ee][Tt]ag: *\("[^"]*"\).*/\1/p' "$work/headers" 2>/dev/null | tail -n 1 >"$work/etag"
}

megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f", bytes / 1e6 }'; }

# How far we are: what curl has passed on, and where the writer stands on the disk.
progress() {
  began=$(date +%s)
  while sleep "$PROGRESS_INTERVAL_SECONDS"; do
    report "$(($(date +%s) - began))"
  done
}

report() {
  done_bytes=$(cat "$work/offset" 2>/dev/null || echo 0)
  pid=$(cat "$work/curl" 2>/dev/null || true)
  passed=$([ -z "$pid" ] || awk '/^wchar/ { print $2 }' "/proc/$pid/io" 2>/dev/null || true)
  done_bytes=$((done_bytes + ${passed:-0}))
  total=$(awk 'tolower($1) == "content-length:" { gsub("\r", ""); size = $2 } tolower($1) == "content-range:" { sub(".*/", ""); gsub("\r", ""); range = $0 }
    END { print range ? range : size }' "$work/headers" 2>/dev/null || true)
  written=$(awk '/^pos:/ { print $2 }' "/proc/$(cat "$work/writer" 2>/dev/null)/fdinfo/1" 2>/dev/null || true)
  [ -z "$written" ] || written=", $(megabytes "$written") MB written"
  seconds=$1
  [ "$seconds" -gt 0 ] || seconds=1
  speed="$(megabytes $((done_bytes / seconds))) MB/s"
  case $total in
    '' | *[!0-9]* | 0) say "progress: $(megabytes $done_bytes) MB ($speed)$written" ;;
    *)
      [ "$done_bytes" -le "$total" ] || done_bytes=$total
      say "progress: $((done_bytes * 100 / total))% $(megabytes $done_bytes) MB of $(megabytes "$total") MB ($speed)$written"
      ;;
  esac
}

# The first MiB is held back; the rest goes to the disk at once. Leaves in $work/end where on the disk it ended.
write() {
  dd of="$work/head" bs=1M count=1 iflag=fullblock 2>/dev/null
  {
    sh -c 'echo $$ >"$0/writer"; exec dd bs=1M seek=1 iflag=fullblock conv=notrunc,fsync' "$work" 1>&5 2>"$work/dd" &&
      awk '/^pos:/ { print $2 }' /proc/self/fdinfo/5 >"$work/end"
  } 5<>"$disk"
}

# One pass over the whole file. Each stage leaves a file when it came to its end, because a pipe only tells how its last one ended.
attempt() {
  rm -f "$work"/downloaded "$work"/unpacked "$work"/written "$work"/fault "$work"/restart "$work"/etag "$work"/headers
  sha256sum <"$work/copy" >"$work/sum" &
  summing=$!
  { download && : >"$work/downloaded"; } | tee "$work/copy" |
    { $unpack 2>"$work/unpack" && : >"$work/unpacked"; } | { write && : >"$work/written"; } || true
  wait $summing || true
  [ -e "$work/downloaded" ] && [ -e "$work/unpacked" ] && [ -e "$work/written" ]
}

# Leaves no partition table behind, whatever went wrong.
give_up() {
  kill $reporting 2>/dev/null || true
  wipe_ends "$disk" || true
  sync
  reread_partitions "$disk"
  fail "$* - $disk was left without a partition table"
}

say "writing $IMG_URL to $disk ($(megabytes "$capacity") MB)"
started=$(date +%s)
wipe_ends "$disk" || fail "DEST_DISK: $disk cannot be written"
exec 3>&1
mkfifo "$work/copy"
progress &
reporting=$!
until attempt; do
  if [ -e "$work/restart" ] && [ "$(date +%s)" -lt $deadline ]; then
    say "$(cat "$work/fault"): from the beginning again"
    sleep 1
    continue
  fi
  [ ! -s "$work/fault" ] || give_up "$(cat "$work/fault")"
  [ -e "$work/written" ] || give_up "DEST_DISK: $disk could not be written: $(grep -v records "$work/dd" | tail -n 1)"
  give_up "IMG_URL: ${path##*/} cannot be unpacked: $(tail -n 1 "$work/unpack")"
done
kill $reporting 2>/dev/null || true
sum=$(cut -d' ' -f1 "$work/sum")
[ -z "$wanted" ] || [ "sha256:$sum" = "$wanted" ] || give_up "CHECKSUM: what was downloaded has sha256:$sum, not $wanted"
[ -s "$work/head" ] || give_up "IMG_URL: the image is empty"

dd if="$work/head" of="$disk" bs=1M conv=notrunc,fsync 2>/dev/null || give_up "DEST_DISK: $disk could not be written"
sync
reread_partitions "$disk"
seconds=$(($(date +%s) - started))
report $seconds
bytes=$(($(wc -c <"$work/head") + $(cat "$work/end") - 1048576))
outputs "{\"bytes\":$bytes,\"sha256\":\"$sum\",\"disk\":$(json_text "$disk"),\"seconds\":$seconds}"
say "wrote $disk in $seconds s, sha256:$sum${wanted:+ as expected}"
