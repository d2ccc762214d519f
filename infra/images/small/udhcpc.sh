#!/bin/sh
# Called by udhcpc with what the DHCP server said in the environment.
case $1 in
  deconfig) ip -4 addr flush dev "$interface" ;;
  bound | renew)
    ip addr replace "$ip/${mask:-24}" dev "$interface"
    for gateway in $router; do ip route replace default via "$gateway" dev "$interface" && break; done
    : >/etc/resolv.conf
    for name in $dns; do echo "nameserver $name" >>/etc/resolv.conf; done
    echo "dhcp_server=$serverid" >/run/lease
    ;;
esac
