import { rm } from 'node:fs/promises';
import { run } from './run';

/** A network of its own for one provisioner and its machines: a namespace with a bridge, one tap device per machine. */
export interface Lab {
  readonly namespace: string;
  /** IPv4 of the provisioner, on the bridge; 127.0.0.1: the bridge has none. */
  readonly address: string;
  readonly bridge: string;
  /** Adds a port for one machine; returns the tap device's name. */
  addPort(): Promise<string>;
  /** argv prefix that runs a program inside. nsenter, not `ip netns exec`: that one remounts /sys, and dockerd needs its cgroups. */
  readonly enter: readonly string[];
  close(): Promise<void>;
}

/** `address6`: a further one of the bridge, of a /64. */
export async function createLab(namespace: string, address = '10.99.0.1', address6?: string): Promise<Lab> {
  const bridge = 'br0';
  const inside = (...args: string[]) => run('ip', '-n', namespace, ...args);
  await run('ip', 'netns', 'add', namespace);
  let ports = 0;
  const lab: Lab = {
    namespace,
    address,
    bridge,
    enter: ['nsenter', `--net=/run/netns/${namespace}`, '--'],
    async addPort() {
      const tap = `tap${ports++}`;
      await inside('tuntap', 'add', 'dev', tap, 'mode', 'tap');
      await inside('link', 'set', tap, 'master', bridge);
      await inside('link', 'set', tap, 'up');
      return tap;
    },
    async close() {
      await run('ip', 'netns', 'del', namespace);
      await rm(`/run/netns/${namespace}`, { force: true });
    },
  };
  try {
    await inside('link', 'set', 'lo', 'up');
    // Without forward_delay 0 the bridge swallows the firmware's first DHCPDISCOVERs.
    await inside('link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    if (address !== '127.0.0.1') await inside('addr', 'add', `${address}/24`, 'dev', bridge);
    if (address6 !== undefined) await inside('addr', 'add', `${address6}/64`, 'dev', bridge, 'nodad');
    // A fixed link-local address, valid at once: router advertisements are sent from it.
    await inside('addr', 'add', 'fe80::1/64', 'dev', bridge, 'nodad');
    await inside('link', 'set', bridge, 'up');
    return lab;
  } catch (error) {
    await lab.close().catch((cause: unknown) => Object.assign(error as Error, { cause }));
    throw error;
  }
}
