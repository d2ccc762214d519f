import { loadSync } from '@grpc/proto-loader';
import { describe, expect, it } from 'vitest';
import { loaderOptions, protoFiles } from './grpc-listener';

/** Field numbers as the published interfaces have them: what a client made of our own files could not notice. */
const agent = {
  ActionRequest: 'agent_id 1, agent_attributes 2',
  AgentAttributes: 'cpu 1, memory 2, block 3, network 4, pci 5, gpu 6, chassis 7, bios 8, baseboard 9, product 10',
  CPU: 'total_cores 1, total_threads 2, processors 3',
  Processor: 'id 1, cores 2, threads 3, vendor 4, model 5, capabilities 6',
  Memory: 'total 1, usable 2',
  Block:
    'name 1, controller_type 2, drive_type 3, size 4, physical_block_size 5, vendor 6, model 7, wwn 8, serial_number 9',
  Network: 'name 1, mac 2, speed 3, enabled_capabilities 4',
  PCI: 'vendor 1, product 2, class 3, driver 4',
  GPU: 'vendor 1, product 2, class 3, driver 4',
  Chassis: 'serial 1, vendor 2',
  BIOS: 'vendor 1, version 2, release_date 3',
  Baseboard: 'vendor 1, product 2, version 3, serial_number 4',
  Product: 'name 1, vendor 2, serial_number 3',
  ActionResponse:
    'workflow_id 1, task_id 2, agent_id 3, action_id 4, name 5, image 6, timeout 7, command 8, volumes 9, environment 10, pid 11, namespaces 12',
  Namespaces: 'network 1, pid 2',
  ActionStatusRequest:
    'workflow_id 1, agent_id 2, task_id 3, action_id 4, action_name 5, action_state 6, execution_start 7, execution_stop 8, execution_duration 9, message 10',
  ActionMessage: 'message 1',
  ActionStatusResponse: '',
};
const workflow = {
  Workflow: 'id 1, template 2, hardware 3, state 4, created_at 5, updated_at 6, deleted_at 7, data 8',
  CreateRequest: 'template 1, hardware 2',
  CreateResponse: 'id 1',
  GetRequest: 'id 1',
  WorkflowContext:
    'workflow_id 1, current_worker 2, current_task 3, current_action 4, current_action_index 5, current_action_state 6, total_number_of_actions 7',
  WorkflowActionStatus:
    'workflow_id 1, task_name 2, action_name 3, action_status 4, seconds 5, message 6, created_at 7, worker_id 8',
  WorkflowContextRequest: 'worker_id 1',
  WorkflowContextList: 'workflow_contexts 1',
  WorkflowActionsRequest: 'workflow_id 1',
  WorkflowAction:
    'task_name 1, name 2, image 3, timeout 4, command 5, on_timeout 6, on_failure 7, worker_id 8, volumes 9, environment 10, pid 11',
  WorkflowActionList: 'action_list 1',
  GetWorkflowDataRequest: 'workflow_id 1, version 2',
  GetWorkflowDataResponse: 'data 1, version 2',
  UpdateWorkflowDataRequest: 'workflow_id 1, metadata 2, data 3',
};

const definition = loadSync([...protoFiles()], loaderOptions);

function fieldsOf(message: string): string | undefined {
  const { field } = (typeOf(message) ?? {}) as { readonly field?: Values };
  return field
    ?.toSorted((a, b) => a.number - b.number)
    .map(({ name, number }) => `${name} ${number}`)
    .join(', ');
}

describe.each([
  ['proto', agent],
  ['github.com.tinkerbell.tink.protos.workflow', workflow],
])('package %s', (name, messages) => {
  it.each(Object.entries(messages))('%s has its fields', (message, fields) =>
    expect(fieldsOf(`${name}.${message}`)).toBe(fields),
  );
});

type Values = readonly { readonly name: string; readonly number: number }[];
const typeOf = (name: string): unknown => {
  const found = definition[name];
  return found && 'type' in found ? found.type : undefined;
};

it('the states of both protocols count from 0', () => {
  const { value } = typeOf('github.com.tinkerbell.tink.protos.workflow.State') as { readonly value: Values };
  expect(value.map(({ name, number }) => `${name} ${number}`).join(', ')).toBe(
    'STATE_PENDING 0, STATE_RUNNING 1, STATE_FAILED 2, STATE_TIMEOUT 3, STATE_SUCCESS 4',
  );
  const { enumType } = typeOf('proto.ActionStatusRequest') as { readonly enumType: readonly { value: Values }[] };
  expect(enumType[0]?.value.map(({ name, number }) => `${name} ${number}`).join(', ')).toBe(
    'UNSPECIFIED 0, PENDING 1, RUNNING 2, FAILED 3, TIMEOUT 4, SUCCESS 5',
  );
});
