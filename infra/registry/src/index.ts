export { RegistryError, startRegistry } from './registry';
export type { Registry, RegistryOptions } from './registry';
export { fillRegistry } from './fill';
export type { Filled } from './fill';
