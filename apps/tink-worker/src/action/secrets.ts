import type { AttemptRef } from '@tinkerbell/messaging';
import { SecretMask } from '../output/secret-mask';
import { errorText, insist, type Pace } from '../pace';
import { RefusedError, type Server } from '../server';

/** The secrets of one attempt: in the memory of this process and in the environment of its containers, nowhere else. */
export class AttemptSecrets {
  private values: Readonly<Record<string, string>> | undefined;
  private masks: SecretMask | undefined;

  constructor(
    private readonly server: Server,
    private readonly attempt: AttemptRef,
    /** Environment variables. */
    readonly names: readonly string[],
  ) {
    if (names.length === 0) this.keep({});
  }

  /** Undefined while the values are not known: then nothing that might hold them may be passed on. */
  get mask(): SecretMask | undefined {
    return this.masks;
  }

  /** What the worker itself says may go out all the same: it knows no more than they do. */
  readonly masked = (text: string): string => this.masks?.text(text) ?? text;

  /** `KEY=value`. */
  get environment(): readonly string[] {
    return Object.entries(this.values ?? {}).map(([name, value]) => `${name}=${value}`);
  }

  /** Asks until there is an answer. Undefined when the values are known, else why the server refuses them. */
  async load(pace: Pace, stop: AbortSignal, say: (line: string) => void): Promise<string | undefined> {
    if (this.values) return undefined;
    const { workflowId, index, attempt } = this.attempt;
    const ask = () =>
      this.server.secrets({ workflowId, index, attempt }, this.names).then(
        (values) => ({ values }),
        (error: unknown) => {
          if (error instanceof RefusedError) return { refused: error.message };
          throw error;
        },
      );
    const answer = await insist(pace, stop, ask, (error, tries) => {
      if (tries === 1) say(`secrets are not here yet: ${errorText(error)}`);
    });
    if ('refused' in answer) return answer.refused;
    this.keep(answer.values);
    return undefined;
  }

  private keep(values: Readonly<Record<string, string>>): void {
    this.values = values;
    this.masks = new SecretMask(Object.values(values));
  }
}
