#!/bin/sh
# Called by udhcpc with what the DHCP server said in the environment.
case $1 in
  deconfig) ip -4 addr flush dev "$interface"; ip link set "$interface" up ;;
  bound | renew)
    ip addr replace "$ip/${mask:-24}" dev "$interface" valid_lft "${lease:-forever}" preferred_lft "${lease:-forever}"
    for gateway in $router; do ip route replace default via "$gateway" dev "$interface" && break; done
    [ -z "$hostname" ] || hostname "$hostname"
    : >/run/resolv.4
    [ -z "$domain" ] || echo "search $domain" >>/run/resolv.4
    # Option 7, log servers, has no name here and comes in hex: the first of them.
    if [ ${#opt7} -ge 8 ]; then
      printf '%d.%d.%d.%d\n' $(echo "$opt7" | sed 's/^\(..\)\(..\)\(..\)\(..\).*/0x\1 0x\2 0x\3 0x\4/') >/run/log-server
    fi
    for server in $dns; do echo "nameserver $server" >>/run/resolv.4; done
    cat /run/resolv.* >/etc/resolv.conf
    ;;
esac
