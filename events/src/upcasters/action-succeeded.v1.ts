import type { JsonObject } from '../event';

export const actionSucceededV1 = (data: JsonObject): JsonObject => ({ ...data, outputs: {} });
