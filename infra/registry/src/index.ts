export { fillRegistry, type Filled } from './fill';
export { RegistryError, startRegistry, type Registry, type RegistryOptions } from './registry';
export { RegistryClient, type RegistryAccess } from './registry-client';
