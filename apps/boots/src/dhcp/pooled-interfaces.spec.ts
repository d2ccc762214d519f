import { expect, it } from 'vitest';
import { isPooled } from './pooled-wires';
import { PooledInterfaces } from './pooled-interfaces';
import { readSubnets } from './read-subnets';
import { hardwareId, mac, reservation } from './requests.testing';

const file = `
subnets:
  - subnet: 10.0.0.0/24
    nameServers: [10.0.0.53]
    timeServers: [10.0.0.123]
    pools: [{ ranges: [10.0.0.10-10.0.0.20] }]
`;

it('a machine without a reservation is told the servers of its record, of IPv4, and else those of its subnet', () => {
  const [subnet] = readSubnets(file, 'dhcp.yaml').subnets.filter(isPooled);
  if (!subnet) throw new Error('no pool');
  const told = (over: Parameters<typeof reservation>[0]) =>
    new PooledInterfaces().of(subnet, [], { mac, hardwareId, interface: reservation(over) }).dhcp;
  const both = { name_servers: ['fd00::53', '10.9.9.9'], time_servers: ['fd00::123'] };
  expect(told(both)).toMatchObject({ name_servers: ['10.9.9.9'], time_servers: ['10.0.0.123'] });
});
