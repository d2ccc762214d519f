import type { Place } from './yaml-reader';

export type TemplateVersion = '0.1' | '1.0';

/** A rendered and checked template 0.1. Absent parts are empty, an absent timeout is 0. */
export interface Template {
  readonly name: string;
  /** Seconds; 0 = no limit. */
  readonly globalTimeoutSeconds: number;
  readonly tasks: readonly TemplateTask[];
}

export interface TemplateTask {
  readonly name: string;
  /** MAC or IPv4 address of the machine. */
  readonly worker: string;
  readonly volumes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly actions: readonly TemplateAction[];
}

export interface TemplateAction {
  readonly name: string;
  readonly image: string;
  readonly imagePlace: Place;
  /** Seconds; 0 = the default. */
  readonly timeoutSeconds: number;
  readonly command: readonly string[];
  readonly onTimeout: readonly string[];
  readonly onFailure: readonly string[];
  readonly volumes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: string;
}
