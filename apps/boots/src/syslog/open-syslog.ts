import type { BootsConfig } from '../boots.config';
import { ownAddresses } from '../own-addresses';
import type { MachineLog } from './machine-log';
import { SyslogDesk, type SyslogParts } from './syslog-desk';
import { SyslogListener } from './syslog.listener';

/**
 * At all addresses or at none: what is told to machines is one port. They boot without it: that another syslog server has the port is told,
 * and no reason not to start.
 */
export async function openSyslog(
  config: BootsConfig,
  machineLog: MachineLog | undefined,
  parts: SyslogParts,
  closers: (() => Promise<void>)[],
): Promise<number | undefined> {
  if (!config.BOOTS_SYSLOG || !machineLog) return undefined;
  const desk = new SyslogDesk(parts, machineLog);
  const listeners: SyslogListener[] = [];
  const close = async () => {
    for (const listener of listeners) await listener.close();
  };
  let port = config.BOOTS_SYSLOG_PORT;
  try {
    for (const address of [...ownAddresses(config), config.PUBLIC_IP6].filter((one) => one !== '')) {
      const listener = new SyslogListener(desk, parts.log);
      port = await listener.open(address, port);
      listeners.push(listener);
    }
  } catch (error) {
    await close();
    const reason = error instanceof Error ? error.message : String(error);
    const others = listeners.length > 0 ? ', so none is taken at the other addresses either' : '';
    parts.log.warn(`no syslog of machines: ${reason}${others} (BOOTS_SYSLOG=false: do not try)`);
    return undefined;
  }
  closers.push(close);
  return port;
}
