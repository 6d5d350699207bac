import type { Clock } from '../../lib/clock.ts';

/** Thrown when the time is up or the caller gave up, while what was waited for goes on by itself. */
export class GaveUp extends Error {
  constructor() {
    super('gave up waiting');
    this.name = 'GaveUp';
  }
}

/** How long one call may wait, over all its attempts. `end()` lets go of the signals. */
export class Patience {
  private readonly clock: Clock;
  private readonly endsAtMs: number;
  private readonly signals: readonly AbortSignal[];
  private readonly waits = new Set<AbortController>();
  private readonly wake = (): void => {
    for (const wait of this.waits) wait.abort();
  };

  constructor(clock: Clock, timeoutMs: number, signals: readonly (AbortSignal | undefined)[]) {
    this.clock = clock;
    this.endsAtMs = clock.monotonic() + timeoutMs;
    this.signals = signals.filter((signal) => signal !== undefined);
    for (const signal of this.signals) signal.addEventListener('abort', this.wake);
  }

  get isOver(): boolean {
    return this.leftMs <= 0 || this.signals.some((signal) => signal.aborted);
  }

  private get leftMs(): number {
    return this.endsAtMs - this.clock.monotonic();
  }

  /** What `work` yields. @throws GaveUp when the patience ends first */
  async await<T>(work: Promise<T>): Promise<T> {
    // Whatever becomes of work that nobody waits for any more must not end the process.
    work.catch(() => undefined);
    if (this.isOver) throw new GaveUp();
    const wait = new AbortController();
    this.waits.add(wait);
    try {
      const over = this.clock.sleep(this.leftMs, wait.signal).then(() => GaveUp);
      const first = await Promise.race([work, over]);
      if (first === GaveUp) throw new GaveUp();
      return first as T;
    } finally {
      this.waits.delete(wait);
      wait.abort();
    }
  }

  /** Waits before another attempt; false, at once, when there is no time for it. */
  async pause(ms: number): Promise<boolean> {
    if (this.isOver || ms >= this.leftMs) return false;
    const wait = new AbortController();
    this.waits.add(wait);
    await this.clock.sleep(ms, wait.signal);
    this.waits.delete(wait);
    return !this.isOver;
  }

  end(): void {
    for (const signal of this.signals) signal.removeEventListener('abort', this.wake);
  }
}
