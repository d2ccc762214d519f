import type { Change, Live, Snapshot } from '../../../src/wire';
import { fromSnapshot, withChange, type World } from './state';
import { SseConnection, type Link } from './sse-connection';

export interface LiveState {
  /** Undefined until the first snapshot. */
  readonly world: World | undefined;
  readonly link: Link;
  /** The server's clock less ours, milliseconds. */
  readonly clockOffset: number;
}

/** The page's one source of truth, fed by `/api/live`. */
export class LiveStore {
  private state: LiveState = { world: undefined, link: { status: 'connecting' }, clockOffset: 0 };
  private readonly listeners = new Set<() => void>();
  private readonly connection: SseConnection;

  constructor() {
    this.connection = new SseConnection('./api/live', {
      events: {
        snapshot: (data) => this.take(JSON.parse(data) as Live<Snapshot>, (_world, body) => fromSnapshot(body)),
        change: (data) =>
          this.take(JSON.parse(data) as Live<Change>, (world, body) => world && withChange(world, body)),
      },
      onLink: (link) => this.set({ ...this.state, link }),
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): LiveState => this.state;

  readonly retry = (): void => this.connection.retry();

  private take<T>({ now, body }: Live<T>, apply: (world: World | undefined, body: T) => World | undefined): void {
    this.set({ ...this.state, world: apply(this.state.world, body), clockOffset: Date.parse(now) - Date.now() });
  }

  private set(state: LiveState): void {
    this.state = state;
    this.listeners.forEach((listener) => listener());
  }
}
