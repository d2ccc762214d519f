import { randomUUID } from 'node:crypto';
import type { Inventory } from '@tinkerbell/events';
import { CommandError, type Context, define, exit } from '../cli-command';
import { showMac } from '../output/print';
import { isUuid } from './ids';

export const machineRecord = define({
  name: 'machine record',
  summary: 'print a hardware record made of what a machine told of itself',
  details: [
    'For a machine that booted the discovery: its network cards, the one that it booted from first, and everything else that it told',
    'as metadata.discovered. Nothing is stored: add a host name and addresses, and push it with "tink hardware push".',
  ].join('\n'),
  examples: ['tink machine record 52:54:00:12:34:56 > machine.json', 'tink hardware push --file machine.json'],
  positionals: { usage: '<id|mac|ip|hostname>', min: 1, max: 1, complete: ['machine'] },
  flags: {},
  async run({ positionals: [name = ''] }, context) {
    const { mac } = await context.client.machine(name);
    const inventory = await newestReport(context, mac);
    if (!inventory) throw new CommandError(`machine ${name} never told what it is made of`, exit.notFound);
    context.out(JSON.stringify(recordOf(inventory, mac), null, 2));
    return exit.ok;
  },
});

async function newestReport({ client, signal }: Context, mac: string): Promise<Inventory | undefined> {
  let newest: Inventory | undefined;
  const query = { aggregate: 'boot', id: mac.toLowerCase().replaceAll(':', '-'), type: 'MachineDiscovered' };
  for await (const { event } of client.events(query, signal)) {
    if (event.type === 'MachineDiscovered') newest = event.data.inventory;
  }
  return newest;
}

/** Its id is the board's, so that the same machine gets the same record again. */
function recordOf(inventory: Inventory, bootMac: string) {
  const booted = showMac(bootMac);
  const others = inventory.interfaces.map(({ mac }) => showMac(mac)).filter((mac) => mac !== booted);
  const interfaces = [booted, ...others].map((mac) => ({
    dhcp: { mac, arch: inventory.arch },
    netboot: { allow_pxe: true, allow_workflow: true },
  }));
  const uuid = inventory.uuid.toLowerCase();
  const id = isUuid(uuid) && !/^(?:0{8}|f{8})-/.test(uuid) ? uuid : randomUUID();
  return { id, metadata: { discovered: inventory }, network: { interfaces } };
}
