import type { Catalogue, Event } from './event';

/** A one-time token for a worker that does not come from a netboot. Only its SHA-256 (hex) is kept. */
export type EnrolmentTokenIssued = Event<'EnrolmentTokenIssued', 1, { tokenHash: string; expiresAt: string }>;
/** A worker traded its one-time token and public nkey for a credential. `address`: where it called from. */
export type WorkerEnrolled = Event<
  'WorkerEnrolled',
  1,
  { mac: string; publicKey: string; tokenHash: string; address: string; expiresAt: string }
>;
/** The key that enrolled got another credential: its own is over, or about to be. `address`: where it called from. */
export type WorkerCredentialRenewed = Event<
  'WorkerCredentialRenewed',
  1,
  { mac: string; publicKey: string; address: string; expiresAt: string }
>;
/** The worker is connected and asks for work. */
export type WorkerReady = Event<
  'WorkerReady',
  1,
  {
    workerVersion: string;
    hostname: string;
    kernel: string;
    node: string;
    engine: string;
    cpus: number;
    memoryBytes: number;
    uptimeSeconds: number;
  }
>;

/** One stream per worker, id = hardware id. */
export type EnrolmentEvent = EnrolmentTokenIssued | WorkerEnrolled | WorkerCredentialRenewed | WorkerReady;

export const enrolmentCatalogue = {
  EnrolmentTokenIssued: { version: 1 },
  WorkerEnrolled: { version: 1 },
  WorkerCredentialRenewed: { version: 1 },
  WorkerReady: { version: 1 },
} satisfies Catalogue<EnrolmentEvent>;
