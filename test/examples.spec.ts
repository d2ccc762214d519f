import { readFile } from 'node:fs/promises';
import { parseHardware, presentHardware } from '@tinkerbell/domain';
import { planWorkflow } from '@tinkerbell/template';
import { expect, it } from 'vitest';

it('the examples of the documentation are valid and fit together', async () => {
  const machine = parseHardware(await readFile('docs/examples/machine.json', 'utf8'));
  const [{ dhcp } = { dhcp: { mac: '' } }] = machine.network.interfaces;
  const plan = planWorkflow(
    await readFile('docs/examples/template.yaml', 'utf8'),
    { device_1: dhcp.mac },
    { byMac: (mac) => (mac === dhcp.mac ? machine.id : undefined), byIp: () => undefined },
  );
  expect(plan.actions.map(({ name, workerId }) => [name, workerId])).toEqual([
    ['write-image', machine.id],
    ['write-config', machine.id],
    ['reboot', machine.id],
  ]);

  const graph = planWorkflow(
    await readFile('docs/examples/template-1.0.yaml', 'utf8'),
    { device_1: dhcp.mac, device_2: '192.0.2.21' },
    {
      byMac: (mac) => (mac === dhcp.mac ? machine.id : undefined),
      byIp: () => 'another',
      hardware: () => presentHardware(machine),
    },
  );
  expect(graph.actions.filter(({ plan: { destructive } }) => destructive).map(({ plan: { id } }) => id)).toEqual([
    'os[device_1]/wipe',
    'os[device_1]/write-image',
    'os[device_2]/wipe',
    'os[device_2]/write-image',
  ]);
});
