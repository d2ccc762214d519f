import type { RegistryAuth } from './containers/containers';
import type { Pace } from './pace';

/** What the worker knows once it is enrolled. */
export abstract class WorkerSettings {
  abstract readonly workerId: string;
  /** The one that it enrolled with; undefined: its credential comes from elsewhere. */
  abstract readonly publicKey: string | undefined;
  /** Changes with every start of the machine's kernel. */
  abstract readonly bootId: string;
  /** Journal and output positions. */
  abstract readonly stateDirectory: string;
  /** Each workflow's folder is made here, on the engine's host: `/worker`. */
  abstract readonly workflowDirectory: string;
  /** Images without a registry in their name come from here; its credentials go to no other. */
  abstract readonly registry: RegistryAuth | undefined;
  /** Of ephemeral data, bytes. */
  abstract readonly maxDataBytes: number;
  /** Shell command, or empty: then a wish to reboot is only logged. */
  abstract readonly rebootCommand: string;
  /** Whether actions' output goes to the log. */
  abstract readonly captureOutput: boolean;
  /** Actions that may run at the same time. */
  abstract readonly parallel: number;
  /** Where sysfs is: `/sys`. */
  abstract readonly sysDirectory: string;
  abstract readonly pace: Pace;
}
