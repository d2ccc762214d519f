import schema01 from '../schema/template-0.1.json';
import schema10 from '../schema/template-1.0.json';
import type { TemplateVersion } from './template';

/** JSON Schema (draft 2020-12) of each version, for editors. It knows what one part says; what refers to what, only the parser does. */
export const templateSchemas: Readonly<Record<TemplateVersion, object>> = { '0.1': schema01, '1.0': schema10 };
