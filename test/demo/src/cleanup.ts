/** What has to be undone, last first; runs once, whatever ended the program. */
export class Cleanup {
  private readonly steps: { readonly what: string; readonly undo: () => Promise<unknown> }[] = [];
  private running: Promise<void> | undefined;

  add(what: string, undo: () => Promise<unknown>): void {
    this.steps.push({ what, undo });
  }

  run(onFault: (text: string) => void): Promise<void> {
    this.running ??= this.undoAll(onFault);
    return this.running;
  }

  private async undoAll(onFault: (text: string) => void): Promise<void> {
    for (const { what, undo } of this.steps.reverse()) {
      try {
        await undo();
      } catch (error) {
        onFault(`cleaning up ${what}: ${(error as Error).message}`);
      }
    }
  }
}
