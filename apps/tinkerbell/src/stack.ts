/** What was started, ended in reverse order. One part that fails to end does not keep the others from it. */
export class Stack {
  private readonly ends: { readonly what: string; readonly end: () => unknown }[] = [];

  push(what: string, end: () => unknown): void {
    this.ends.push({ what, end });
  }

  async close(onFault: (text: string) => void): Promise<void> {
    for (let last = this.ends.pop(); last; last = this.ends.pop()) {
      try {
        await last.end();
      } catch (error) {
        onFault(`closing ${last.what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
