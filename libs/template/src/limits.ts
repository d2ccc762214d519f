/** Bytes of UTF-8 that a template's text, and what it renders to, may have. */
export { maxTemplateBytes } from '@tinkerbell/domain';
/** Faults reported of one text. */
export const maxFaults = 100;
/** Actions of all tasks together. */
export const maxActions = 1_000;
/** YAML nodes looked at, those behind aliases counted each time. */
export const maxYamlNodes = 50_000;
/** Characters of a name. */
export const maxNameLength = 200;
/** Seconds; what fits into the int32 that workers count in. */
export const maxTimeoutSeconds = 2_147_483_647;
/** Seconds of an action that says nothing. */
export const defaultTimeoutSeconds = 3_600;
/** Bytes of a workflow's actions as JSON; they travel in one message of the log. */
export const maxPlanBytes = 524_288;
