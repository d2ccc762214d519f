import type { BootsConfig } from '../boots.config';
import { ownAddresses, settingsAt } from '../own-addresses';
import { tftp6Ports, tftpPorts } from '../settings';
import type { NativeBatch } from '../udp/native-batch';
import { TftpListener, type TftpPorts, type TftpServices } from './tftp.listener';

/** At every address of ours, all at the same port, which it returns. */
export async function openTftp(
  config: BootsConfig,
  services: TftpServices,
  native: NativeBatch | undefined,
  closers: (() => Promise<void>)[],
): Promise<number> {
  const open = (ports: TftpPorts) => {
    const listener = new TftpListener(services, ports);
    closers.push(() => listener.close());
    return listener.open();
  };
  const port = await open(tftpPorts(config, native));
  for (const address of ownAddresses(config).slice(1))
    await open({ ...tftpPorts(settingsAt(config, address), native), port });
  if (config.PUBLIC_IP6 !== '') await open(tftp6Ports(config, port));
  return port;
}
