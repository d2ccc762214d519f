import type { Json, JsonObject } from '@tinkerbell/events';
import { schemaId } from './cloud-event';
import type { PublicType } from './table';

/** JSON Schema (2020-12) of the data of one public event, as plain JSON. Fields that it does not name may come in later. */
export function jsonSchema(type: PublicType): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: schemaId(type),
    title: type.id,
    ...('description' in type.schema ? {} : { description: type.summary }),
    // TypeBox keeps its own marks in symbols, which JSON does not have.
    ...(JSON.parse(JSON.stringify(type.schema)) as Record<string, Json>),
  };
}
