import { workflowList, type WorkflowRow } from '@tinkerbell/projections';
import { parseTemplate, planWorkflow } from '@tinkerbell/template';
import { hardwareId, recorded, workflowCreated } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { workflowJson, workflowMessage } from './workflow.presenter';

const graph = `version: '1.0'
name: install
timeout: 10m
tasks:
  - name: greet
    worker: '{{ .device_1 }}'
    actions: [{ name: hello, image: hello-world }]
  - name: os
    worker: '{{ .device_1 }}'
    actions:
      - name: write
        image: image2disk
        destructive: true
        onReboot: restart
        retries: 2
        approval: "Write?\\nversion: '9'"
      - name: configure
        image: writefile
        environment: { DEST_DISK: "\${{ outputs['write'].disk }}2" }
`;

const list = `version: '0.1'
name: install
tasks:
  - name: os
    worker: '{{ .device_1 }}'
    actions:
      - name: write
        image: image2disk
        command: [sh, -c, 'echo \${{ "{{" }} HOME }}']
      - name: configure
        image: writefile
`;

function rowOf(template: string): WorkflowRow {
  const plan = planWorkflow(
    template,
    { device_1: '00:00:00:00:00:01' },
    { byMac: () => hardwareId, byIp: () => hardwareId },
  );
  const created = workflowCreated(plan.actions, { globalTimeoutSeconds: plan.globalTimeoutSeconds });
  const [event] = recorded('workflow', 'w', [created]);
  const row = event && workflowList.evolve(undefined, event);
  if (!row) throw new Error('no row');
  return row;
}

describe.each([
  ['gRPC', (row: WorkflowRow) => workflowMessage(row, true)],
  ['REST', (row: WorkflowRow) => workflowJson(row, true)],
])('the YAML of a workflow for clients of the originals, by %s', (_, present) => {
  const yamlOf = (template: string) => (present(rowOf(template)) as { data: string }).data;

  it('is a template 0.1 of all actions, also for a graph', () => {
    const read = parseTemplate(yamlOf(graph));
    expect(read.tasks.map(({ name, actions }) => [name, actions.map((action) => action.name)])).toEqual([
      ['greet', ['hello']],
      ['os', ['write', 'configure']],
    ]);
    expect(parse(yamlOf(graph))).toMatchObject({ version: '0.1', global_timeout: 600 });
  });

  it('says first what template 0.1 cannot', () => {
    expect(yamlOf(graph).split('\n').slice(0, 5)).toEqual([
      expect.stringMatching(/^# This workflow is more than template 0\.1 can express/) as string,
      expect.stringMatching(/^# without the following \(.*GET \/api\/workflows\/<id>/) as string,
      "#   os/write: needs nothing; at most 3 tries; needs approval: Write? version: '9'; destructive; after a reboot: restart",
      '#   os/configure: has ${{ expressions }}',
      'version: "0.1"',
    ]);
  });

  it('says nothing more of a list, and has its texts as they were', () => {
    expect(yamlOf(list)).toMatch(/^version: "0\.1"\n/);
    expect(parseTemplate(yamlOf(list)).tasks[0]?.actions[0]?.command).toEqual(['sh', '-c', 'echo ${{ HOME }}']);
  });
});
