import { define, exit, UsageError } from '../cli-command';
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
    const { hardware } = await findHardware(context, name);
    const interfaces = hardware.network.interfaces.map((each) => ({
      ...each,
      netboot: { ...each.netboot, rescue: wish === 'on' },
    }));
    const record = { ...hardware, network: { ...hardware.network, interfaces } };
    await context.client.pushHardware(JSON.stringify(record));
    context.out(`rescue of ${hardware.id} is ${wish}${wish === 'on' ? ': restart the machine' : ''}`);
    return exit.ok;
  },
});
