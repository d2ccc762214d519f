# The way to the network, for OSIE and for the program that fetches it. Whoever sources this has `say`.
argument() { # value of name=value on the kernel command line, the last one given
  for word in $(cat /proc/cmdline); do case $word in "$1="*) found=${word#*=} ;; esac done
  echo "$found"
}
hw_addr=$(argument hw_addr | tr 'A-F-' 'a-f:')

# A driver brings new devices (a virtio card appears behind its PCI function), so again until nothing new turns up.
load_drivers() {
  seen=-1
  while :; do
    find /sys/devices -name modalias -exec cat {} + 2>/dev/null | grep -E '^(pci|virtio|usb|scsi|nvme|vmbus|xen|acpi):' | sort -u >/tmp/devices
    [ "$(wc -l </tmp/devices)" = "$seen" ] && break
    seen=$(wc -l </tmp/devices)
    xargs modprobe -a -q -b </tmp/devices
  done
}

boot_interface() {
  for candidate in /sys/class/net/*; do
    [ "$(cat "$candidate/address")" = "$hw_addr" ] && { basename "$candidate"; return; }
  done
  # Started by hand, without hw_addr: the first wired one.
  [ -n "$hw_addr" ] || ls /sys/class/net | grep -E '^(eth|en)' | head -n 1
}

# Asks only the family of the server's address, and with osie_dual_stack the other one beside it. `network -q`: just an address, which nobody renews.
network() {
  tries=0
  until interface=$(boot_interface) && [ -n "$interface" ]; do
    tries=$((tries + 1))
    [ $((tries % 20)) = 5 ] && say "no network interface ${hw_addr:-eth*} yet: $(cat /sys/class/net/*/address | xargs)"
    sleep 0.2
    load_drivers
  done
  ip link set "$interface" up
  vlan=$(argument vlan_id)
  if [ -n "$vlan" ]; then
    modprobe -q 8021q
    ip link add link "$interface" name "$interface.$vlan" type vlan id "$vlan"
    interface=$interface.$vlan
    ip link set "$interface" up
  fi
  ipam=$(argument ipam)
  if [ -n "$ipam" ]; then
    static_network
    return
  fi
  if [ "$1" = -q ]; then
    lent=$(argument tink_root_from)
    if [ -n "$lent" ]; then network6_lent; else network4 -q; fi
    return
  fi
  by6='' both=''
  case $(argument tinkerbell) in *//\[*) by6=yes ;; esac
  case " $(cat /proc/cmdline) " in *" osie_dual_stack "*) both=yes ;; esac
  # It stays in the background, and asks DHCPv6 once a router says that there is one.
  [ -z "$by6$both" ] || dhcpcd -b "$interface" >/var/log/dhcpcd.log 2>&1
  [ -n "$by6" ] || { network4; return; }
  [ -z "$both" ] || ask4 -b -t 3 -A 60 &
  network6
}

# Without -q it stays in the background and renews; without an answer it is asked again for ever.
network4() {
  until ask4 -n -t 10 "$@"; do say "no DHCP answer on $interface"; done
  say "network $interface $(ip -4 -o addr show dev "$interface" | awk '{print $4}')"
}

ask4() {
  udhcpc -O 7 -T 1 -i "$interface" -s /etc/udhcpc.sh -p /run/udhcpc.pid "$@"
}

# With the address that the boot loader had. Routes come with advertisements, which the kernel asks for by itself.
network6_lent() {
  ip addr replace "$lent/128" dev "$interface"
  host=$(argument tinkerbell | sed 's/.*\[\(.*\)\].*/\1/')
  tries=0
  until ip -6 route get "$host" 2>/dev/null | grep -qv unreachable; do
    sleep 0.2
    tries=$((tries + 1))
    [ $((tries % 50)) = 0 ] && say "no router advertisement on $interface"
    [ $tries -lt 300 ] || break
  done
  # Until nobody else has turned out to have it.
  for pause in 0.2 0.5 1 2 4; do
    ip -6 -o addr show dev "$interface" | grep -q tentative || break
    sleep $pause
  done
  say "network $interface $lent/128, as the boot loader had it"
}

# An address that a router's prefix made is better than none.
network6() {
  tries=0
  until [ -s /run/network6 ]; do
    sleep 0.2
    tries=$((tries + 1))
    [ $((tries % 50)) = 0 ] || continue
    say "no DHCPv6 answer on $interface"
    ip -6 -o addr show dev "$interface" scope global | grep -qv tentative && break
  done
  say "network $interface $(ip -6 -o addr show dev "$interface" scope global | awk '{print $4}' | xargs)"
}

# A site without DHCP: <mac>:<vlan>:<address>:<netmask>:<gateway>:<host name>:<dns,dns>; IPv6 addresses are in brackets, their netmask is a length.
static_network() {
  IFS=: read -r _ _ address netmask gateway host servers <<-END
	$(echo "$ipam" | sed ':next; s/\(\[[^]:]*\):/\1;/; t next')
	END
  address=$(bare "$address")
  gateway=$(bare "$gateway")
  case $address in *:*) family=-6 prefix=$netmask ;; *) family=-4 prefix=$(bits_of "$netmask") ;; esac
  ip addr replace "$address/$prefix" dev "$interface"
  [ -z "$gateway" ] || ip $family route replace default via "$gateway" dev "$interface"
  [ -z "$host" ] || hostname "$host"
  for server in $(bare "$servers" | tr , ' '); do echo "nameserver $server"; done >/etc/resolv.conf
  say "network $interface $address/$prefix static"
}

bare() {
  echo "$1" | tr -d '[]' | tr ';' ':'
}

# 255.255.255.0 is 24.
bits_of() {
  bits=0
  for byte in $(echo "$1" | tr . ' '); do
    while [ "$byte" -gt 0 ]; do
      bits=$((bits + byte % 2))
      byte=$((byte / 2))
    done
  done
  echo "$bits"
}
