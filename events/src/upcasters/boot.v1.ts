import type { JsonObject } from '../event';

/** Scripts were given to the address that holds the lease, without a ticket. */
export const netbootOfferedV1 = (data: JsonObject): JsonObject => ({
  ...data,
  ticketHash: null,
  ticketExpiresAt: null,
});

/** BOOTP clients were not told of. */
export const netbootOfferedV2 = (data: JsonObject): JsonObject => data;

export const bootScriptServedV1 = (data: JsonObject): JsonObject => ({
  ...data,
  address: '',
  ticketHash: null,
  ticketExpiresAt: null,
});

/** What it was written for was not kept. */
export const bootScriptServedV2 = (data: JsonObject): JsonObject => ({ ...data, format: null });

/** Who fetched it was not kept; machines without a record were not told of. */
export const bootFileServedV1 = (data: JsonObject): JsonObject => ({ ...data, address: '' });

/** Only its `hardwareId` differs: it was never null. */
export const osieStartedV1 = (data: JsonObject): JsonObject => data;
