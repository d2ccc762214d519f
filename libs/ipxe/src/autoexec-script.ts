/**
 * What iPXE looks for beside itself before anything else. By itself it asks DHCPv4 first, for half a minute; one that was loaded by IPv6 has its
 * script from DHCPv6 at once. `--replace`: how that script ends is how iPXE ends.
 */
export function autoexecScript6(): string {
  return [
    '#!ipxe',
    '',
    'ifconf --configurator ipv6 || goto usual',
    'isset ${filename} || goto usual',
    'chain --replace --autofree ${filename} ||',
    ':usual',
    'autoboot',
    '',
  ].join('\n');
}
