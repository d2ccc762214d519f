import { ApiError } from '../api-errors';
import { type Context, define, exit, UsageError } from '../cli-command';
import { findHardware } from './hardware.command';

export const hardwareRescue = define({
  name: 'hardware rescue',
  summary: 'boot a machine into a shell, or no longer',
  details:
    'Switches netboot.rescue of every interface in the record. From its next power-on the machine boots the in-memory OS\n' +
    'with a shell on its console and no worker, whatever its workflows say, until this is switched off.\n' +
    'A machine is named by id, MAC, IP address or host name.',
  examples: ['tink hardware rescue node-1 on', 'tink hardware rescue node-1 off'],
  positionals: { usage: '<machine> <on|off>', min: 2, max: 2, complete: ['hardware'] },
  flags: {},
  async run({ positionals: [name = '', wish = ''] }, context) {
    if (wish !== 'on' && wish !== 'off') throw new UsageError(`${JSON.stringify(wish)} is neither on nor off`);
    const id = await switchRescue(context, name, wish === 'on');
    context.out(`rescue of ${id} is ${wish}${wish === 'on' ? ': restart the machine' : ''}`);
    return exit.ok;
  },
});

const maxAttempts = 5;

/** What somebody else changes in the record meanwhile stays: then it is read again. */
async function switchRescue(context: Context, name: string, rescue: boolean): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { hardware, position } = await findHardware(context, name);
    const interfaces = hardware.network.interfaces.map((each) => ({ ...each, netboot: { ...each.netboot, rescue } }));
    const record = { ...hardware, network: { ...hardware.network, interfaces } };
    try {
      await context.client.pushHardware(JSON.stringify(record), position);
      return hardware.id;
    } catch (error) {
      const hasChanged = error instanceof ApiError && error.status === 409 && error.field === 'ifPosition';
      if (!hasChanged || attempt === maxAttempts) throw error;
    }
  }
}
