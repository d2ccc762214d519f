/** What the engine keeps on the server. `infra/nats/src/streams.ts` declares each with its settings; docs/streams.md explains them. */
export const streamNames = {
  events: 'TINK_EV',
  reports: 'TINK_IN',
  published: 'TINK_PUB',
  logs: 'TINK_LOG',
} as const;

/** Object-store bucket for large bodies, by SHA-256. */
export const dataBucket = 'tink_data';
/** Key-value bucket for the secrets that sign webhooks, by subscription; never in the log. */
export const webhookSecretsBucket = 'tink_webhook_secrets';
/** Key-value bucket for the sealed values of secrets: `<name>.<entry>` → bytes. */
export const secretsBucket = 'tink_secrets';
/** Durable consumer of `TINK_IN`, tink-server's: this and the number of the one who may read. */
export const ingressConsumer = 'ingress';
/** Key-value bucket of leases: who does what only one may do. */
export const leaseBucket = 'tink_lease';
