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
/** Durable consumer of `TINK_IN`, tink-server's. */
export const ingressConsumer = 'ingress';
