import type { RegistryAuth } from './containers/containers';
import type { Pace } from './pace';

/** What the worker knows once it is enrolled. */
export interface WorkerSettings {
  readonly workerId: string;
  /** Changes with every start of the machine's kernel. */
  readonly bootId: string;
  /** Journal and output positions. */
  readonly stateDirectory: string;
  /** Each workflow's folder is made here, on the engine's host: `/worker`. */
  readonly workflowDirectory: string;
  /** Images without a registry in their name come from here; its credentials go to no other. */
  readonly registry: RegistryAuth | undefined;
  /** Of ephemeral data, bytes. */
  readonly maxDataBytes: number;
  /** Shell command, or empty: then a wish to reboot is only logged. */
  readonly rebootCommand: string;
  /** Whether actions' output goes to the log. */
  readonly captureOutput: boolean;
  readonly pace: Pace;
}
