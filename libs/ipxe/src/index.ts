export { chainScript, contentsScript } from './custom-script';
export { localBootScript } from './local-boot-script';
export { defaultOsieFiles, kernelArguments } from './osie-boot';
export type { OsieBoot, StaticNetwork } from './osie-boot';
export { osieScript } from './osie-script';
export { defaultRetry } from './retry';
export type { RetryPolicy } from './retry';
export { UnsafeScriptValueError } from './script-value';
