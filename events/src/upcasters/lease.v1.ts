import type { JsonObject } from '../event';

/** Every lease was a reservation, and its client known by its MAC. */
export const leaseV1 = (data: JsonObject): JsonObject => ({
  ...data,
  clientId: null,
  subnet: '',
  origin: 'reservation',
});

export const leaseDeclinedV1 = (data: JsonObject): JsonObject => ({ ...leaseV1(data), quarantinedUntil: null });

export const leaseRefusedV1 = (data: JsonObject): JsonObject => ({ ...data, clientId: null, subnet: '' });
