#!/bin/sh
# Called by udhcpc with what the DHCP server said in the environment.
case $1 in
  deconfig) ip -4 addr flush dev "$interface"; ip link set "$interface" up ;;
  bound | renew)
    ip addr replace "$ip/${mask:-24}" dev "$interface"
    for gateway in $router; do ip route replace default via "$gateway" dev "$interface" && break; done
    for name in $dns; do echo "nameserver $name"; done >/etc/resolv.conf
    printf 'DHCP_SERVER=%s\nDHCP_ROUTER=%s\n' "${serverid:-$siaddr}" "${router%% *}" >/run/dhcp
    ;;
esac
