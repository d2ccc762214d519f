import { encodePacket, option, requestedAddress, serverIdentifier } from '@tinkerbell/dhcp';
import { expect, it } from 'vitest';
import { startBench } from '../boots.testing';
import { requestOf } from './requests.testing';

it('another DHCP server is as it should be in a subnet of mode off, and told of elsewhere', async () => {
  const bench = await startBench({ settings: { BOOTS_DHCP_SUBNETS: '10.5.0.0/16=off' } });
  try {
    const choose = (server: string, over: { readonly giaddr: string; readonly xid: number }) => {
      const options = [option(serverIdentifier, server), option(requestedAddress, '10.5.0.9')];
      bench.relay(encodePacket(requestOf('request', options, over)));
    };
    choose('10.5.0.250', { giaddr: '10.5.0.1', xid: 1 });
    choose('10.6.0.250', { giaddr: '10.6.0.1', xid: 2 });
    const found = async () =>
      (await bench.events()).flatMap(({ type, data }) => (type === 'DhcpServerFound' ? [data.server] : []));
    await expect.poll(found).toEqual(['10.6.0.250']);
  } finally {
    await bench.close();
  }
});
