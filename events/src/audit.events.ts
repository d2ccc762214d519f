import type { Catalogue, Event } from './event';

/**
 * The whole log up to and with `position`, signed. `hash`: SHA-256 (hex) that rolls over every commit; `keyId`: SHA-256 (hex) of the
 * public key's DER; `signature`: Ed25519, base64. What is hashed and signed: the ADR on signed checkpoints in docs/adr.
 */
export type AuditCheckpointed = Event<
  'AuditCheckpointed',
  1,
  { position: number; hash: string; keyId: string; signature: string }
>;

/** One stream, id `log`. */
export type AuditEvent = AuditCheckpointed;

export const auditCatalogue = {
  AuditCheckpointed: { version: 1 },
} satisfies Catalogue<AuditEvent>;
