export { chainScript, contentsScript } from './custom-script';
export { localBootScript } from './local-boot-script';
export { defaultOsieFiles, osieScript } from './osie-script';
export type { OsieBoot } from './osie-script';
export { defaultRetry } from './retry';
export type { RetryPolicy } from './retry';
export { UnsafeScriptValueError } from './script-value';
