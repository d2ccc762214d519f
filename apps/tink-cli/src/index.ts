export { runCli } from './cli';
export type { Host } from './cli';
export { exit } from './cli-command';
