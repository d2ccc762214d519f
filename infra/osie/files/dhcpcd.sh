#!/bin/sh
# Called by dhcpcd with what routers and the DHCPv6 server said in the environment; addresses and routes it sets itself.
case $reason in
  BOUND6 | RENEW6 | REBIND6 | REBOOT6 | INFORM6)
    {
      [ -z "$new_dhcp6_domain_search" ] || echo "search $new_dhcp6_domain_search"
      for server in $new_dhcp6_name_servers; do echo "nameserver $server"; done
    } >/run/resolv.6
    cat /run/resolv.* >/etc/resolv.conf
    [ -z "$new_dhcp6_ia_na1_ia_addr1" ] || echo "$new_dhcp6_ia_na1_ia_addr1" >/run/network6
    ;;
esac
