import type { OnReboot, RetryPolicy } from '@tinkerbell/events';
import type { Place } from '../yaml-reader';

/** A text and where it stands, for what is found out about it later. */
export interface PlacedText {
  readonly text: string;
  readonly place: Place;
  /** Rendering has still to fill in some of it. */
  readonly isOpen: boolean;
}

/** A rendered and read template 1.0, before its tasks are made into a graph. */
export interface GraphTemplate {
  readonly name: string;
  /** Seconds; 0 = no limit. */
  readonly timeoutSeconds: number;
  readonly tasks: readonly GraphTask[];
  readonly handlers: Handlers;
  readonly place: Place;
}

/** Actions that run after others, by how those ended. */
export interface Handlers {
  readonly onFailure: readonly GraphAction[];
  readonly onTimeout: readonly GraphAction[];
  readonly finally: readonly GraphAction[];
}

export interface GraphTask {
  readonly name: PlacedText;
  readonly place: Place;
  /** MAC or IPv4 address of the machine; '' with a matrix. */
  readonly worker: PlacedText;
  /** Devices; the task is there once for each. */
  readonly matrix: readonly PlacedText[];
  readonly needs: readonly PlacedText[];
  /** Its actions wait for what they need only, not for the one before. */
  readonly parallel: boolean;
  readonly condition: PlacedText | null;
  readonly volumes: readonly string[];
  readonly environment: Readonly<Record<string, PlacedText>>;
  readonly actions: readonly GraphAction[];
  readonly handlers: Handlers;
}

export interface GraphAction {
  readonly name: PlacedText;
  readonly place: Place;
  readonly image: PlacedText;
  /** Of a handler of the whole workflow; '' means the only machine of the workflow. */
  readonly worker: PlacedText;
  readonly needs: readonly PlacedText[];
  readonly condition: PlacedText | null;
  /** Seconds; 0 = the default. */
  readonly timeoutSeconds: number;
  readonly command: readonly PlacedText[];
  readonly environment: Readonly<Record<string, PlacedText>>;
  readonly volumes: readonly string[];
  readonly pid: string;
  readonly retry: RetryPolicy | null;
  readonly approval: PlacedText | null;
  readonly destructive: boolean;
  readonly onReboot: OnReboot;
  readonly secrets: Readonly<Record<string, string>>;
  /** Commands that its worker runs in another container of the same image, as in 0.1. */
  readonly failureCommand: readonly string[];
  readonly timeoutCommand: readonly string[];
  readonly handlers: Handlers;
}

export const noHandlers: Handlers = { onFailure: [], onTimeout: [], finally: [] };

/** Some name, or what refers to one, is only known after rendering: nothing can be said of the graph before. */
export function hasOpenNames({ tasks, handlers }: GraphTemplate): boolean {
  const open = (texts: readonly PlacedText[]): boolean => texts.some(({ isOpen }) => isOpen);
  const openActions = (actions: readonly GraphAction[]): boolean =>
    actions.some((action) => open([action.name, ...action.needs]) || openHandlers(action.handlers));
  const openHandlers = ({ onFailure, onTimeout, finally: last }: Handlers): boolean =>
    openActions([...onFailure, ...onTimeout, ...last]);
  return (
    openHandlers(handlers) ||
    tasks.some(
      (task) =>
        open([task.name, ...task.matrix, ...task.needs]) || openActions(task.actions) || openHandlers(task.handlers),
    )
  );
}
