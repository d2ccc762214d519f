import { Metadata, status } from '@grpc/grpc-js';
import { StoreUnavailableError } from '@tinkerbell/event-store';
import { actionStarted, workflowCreated } from '@tinkerbell/testing';
import { expect, it } from 'vitest';
import { grpcStatus } from '../grpc/grpc-error';
import { fixture } from '../testing/fixtures';
import { openMemory } from '../testing/memory';
import { WorkflowData } from '../workflow/workflow-data';
import { CompatGate } from './compat-gate';
import { CompatWorker } from './compat-worker';
import { CompatWorkerGrpcController } from './compat-worker.grpc.controller';

const { worker_calls } = fixture<{
  readonly worker_calls: { readonly cases: readonly { call: string; storage?: string; error?: string }[] };
}>('crud-seed.json');

it.each(worker_calls.cases.filter(({ storage }) => storage))(
  '$call, storage $storage: $error',
  async ({ call, error }) => {
    expect([call, error]).toEqual(['UpdateWorkflowData', 'Aborted']);
    const memory = await openMemory();
    const blobs = { put: () => Promise.resolve(), get: () => Promise.resolve(undefined) };
    const data = new WorkflowData(memory.store, memory.reads, blobs);
    const worker = new CompatWorker(memory.store, memory.reads, data);
    const gate = new CompatGate({ enabled: true, allowed: () => true });
    const controller = new CompatWorkerGrpcController(worker, gate, memory.reads);
    await memory.given('workflow', 'wf', workflowCreated(1), actionStarted(0));
    memory.store.append = () => Promise.reject(new StoreUnavailableError('disk full'));
    const request = { workflow_id: 'wf', data: Buffer.from('{}') };
    const thrown: unknown = await controller
      .updateData(request, new Metadata(), { getPeer: () => '127.0.0.1:1' })
      .catch((failure: unknown) => failure);
    expect(grpcStatus(thrown)).toMatchObject({ code: status.ABORTED });
    await memory.close();
  },
);
