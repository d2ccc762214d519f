import { Type } from '@sinclair/typebox';
import type { EnrolmentEvent, WorkerCredentialRenewed, WorkerEnrolled, WorkerReady } from '@tinkerbell/events';
import { type Entries, mac, published, seconds, time, unpublished } from '../entry';

const credential = Type.Object({
  mac,
  address: Type.String({ description: 'Where it called from.' }),
  expiresAt: time('Of the credential.'),
});

export const enrolment = {
  EnrolmentTokenIssued: unpublished('about a secret, and of no use to others'),
  WorkerEnrolled: published({
    name: 'worker-enrolled',
    summary: 'A worker traded its one-time token for a credential of its own.',
    schema: credential,
    map: (data: WorkerEnrolled['data']) => data,
  }),
  WorkerCredentialRenewed: published({
    name: 'worker-credential-renewed',
    summary: 'A worker that enrolled before got another credential for the same key.',
    schema: credential,
    map: (data: WorkerCredentialRenewed['data']) => data,
  }),
  WorkerReady: published({
    name: 'worker-ready',
    summary: 'A worker is connected and asks for work.',
    schema: Type.Object({
      workerVersion: Type.String(),
      hostname: Type.String(),
      kernel: Type.String(),
      node: Type.String(),
      engine: Type.String(),
      cpus: Type.Integer(),
      memoryBytes: Type.Integer(),
      uptimeSeconds: seconds(),
    }),
    map: (data: WorkerReady['data']) => data,
  }),
} satisfies Entries<EnrolmentEvent>;
