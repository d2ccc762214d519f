export { asyncApiDocument } from './asyncapi';
export { breakingChanges } from './breaking-changes';
export {
  ceHeaders,
  cloudEventType,
  fromCeHeaders,
  parseEventId,
  schemaId,
  toPublication,
  typePrefix,
} from './cloud-event';
export type { CloudEvent, Publication } from './cloud-event';
export { FilterError, filterSubjects } from './filter';
export { jsonSchema } from './json-schema';
export { publicTypeOf, publicTypes } from './table';
export type { PublicType } from './table';
