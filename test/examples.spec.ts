import { readFile } from 'node:fs/promises';
import { parseHardware } from '@tinkerbell/domain';
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
});
