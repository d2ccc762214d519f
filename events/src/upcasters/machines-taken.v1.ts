import type { JsonObject } from '../event';

export const machinesTakenV1 = (data: JsonObject): JsonObject => ({ ...data, index: null });
