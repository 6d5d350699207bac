/** Things to close, last opened first; also when a start fails half way. */
export class Releasers {
  private readonly steps: { readonly name: string; readonly release: () => Promise<void> | void }[] = [];

  add(name: string, release: () => Promise<void> | void): void {
    this.steps.push({ name, release });
  }

  /** Closes everything, whatever fails on the way. @returns the names of the steps that failed */
  async releaseAll(): Promise<string[]> {
    const failed: string[] = [];
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step.release();
      } catch {
        failed.push(step.name);
      }
    }
    return failed;
  }
}
