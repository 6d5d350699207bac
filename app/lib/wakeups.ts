/** Lets a loop sleep until something of its name happens, or a time passed. A wake-up that comes while nobody sleeps is kept. */
export class Wakeups {
  private readonly sleepers = new Map<string, () => void>();
  private readonly pending = new Set<string>();

  wake(name: string): void {
    const sleeper = this.sleepers.get(name);
    if (sleeper === undefined) this.pending.add(name);
    else sleeper();
  }

  wait(name: string, ms: number, signal: AbortSignal): Promise<void> {
    if (this.pending.delete(name) || signal.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        if (this.sleepers.get(name) === done) this.sleepers.delete(name);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.sleepers.set(name, done);
    });
  }

  /** Forgets a kept wake-up of a name that nobody waits for any more. */
  forget(name: string): void {
    this.pending.delete(name);
  }
}
