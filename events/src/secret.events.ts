import type { Catalogue, Event } from './event';

/**
 * Somebody gave the secret a value. `version` counts the values from 1, deletions do not start it anew. `entry`: where the sealed value
 * lies in the bucket `tink_secrets` (`<name>.<entry>`); the value itself is in no event.
 */
export type SecretSet = Event<'SecretSet', 1, { version: number; entry: string }>;
export type SecretDeleted = Event<'SecretDeleted', 1, Record<string, never>>;

/** The id of the stream is the secret's name. */
export type SecretEvent = SecretSet | SecretDeleted;

export const secretCatalogue = {
  SecretSet: { version: 1 },
  SecretDeleted: { version: 1 },
} satisfies Catalogue<SecretEvent>;
