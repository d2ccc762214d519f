export { createUserKey, ensureNatsIdentity, NatsIdentityError, PublicKeyError } from './nats-identity';
export type { NatsIdentity } from './nats-identity';
export { ensureSecretsKey, SecretsKeyError } from './secrets-key';
export { ensurePki, PkiError } from './pki';
export type { KeyKind, Pki, PkiNames } from './pki';
export { addFormerAuditKeys, AuditKeyFileError, ensureAuditKey } from './audit-key';
export type { AuditKey } from './audit-key';
