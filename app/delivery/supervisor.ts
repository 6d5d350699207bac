import { isAppError } from '../errors/app-error.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { Logger } from '../log.ts';
import type { OwnerEnd } from './owner.ts';

/** One destination that this process should try to deliver. */
export interface Deliverable {
  readonly id: string;
  /** Changes when the destination is created again: the older loop ends, a new one begins. */
  readonly incarnation: string;
}

export interface SupervisorOptions<D extends Deliverable> {
  /** The destinations there are now. Its failure leaves the running ones alone. */
  readonly list: () => Promise<readonly D[]>;
  /** Runs one tenure of one destination. */
  readonly run: (destination: D, stop: AbortSignal) => Promise<OwnerEnd>;
  readonly refreshMs: number;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A crashed delivery loop is started again after 1 s, growing to 60 s (S0.105). */
const RESTART = { firstMs: 1_000, maxMs: 60_000 };
/** A queue store that does not answer is asked again sooner. */
const RETRY = { firstMs: 1_000, maxMs: 5_000 };

interface Running {
  readonly incarnation: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Keeps one delivery loop for each destination, each independent of the others (S0.107). */
export class Supervisor<D extends Deliverable> {
  private readonly options: SupervisorOptions<D>;
  private readonly running = new Map<string, Running>();
  /** Loops of destinations that went or were created again, until they have let go. */
  private readonly ending = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private refreshing: Promise<void> | undefined;
  private loop: Promise<void> | undefined;

  constructor(options: SupervisorOptions<D>) {
    this.options = options;
  }

  start(): void {
    this.loop = this.refreshForEver();
  }

  /** Looks for new and gone destinations now. */
  async refresh(): Promise<void> {
    this.refreshing ??= this.refreshOnce().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  /** Ends every loop; each finishes or gives up what it holds, and nothing accepted is lost. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const { stop } of this.running.values()) stop.abort();
    await Promise.all([this.loop, ...[...this.running.values()].map(({ done }) => done), ...this.ending]);
  }

  private async refreshForEver(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.refresh();
      await this.options.clock.sleep(this.options.refreshMs, this.stopping.signal);
    }
  }

  private async refreshOnce(): Promise<void> {
    let wanted: readonly D[];
    try {
      wanted = await this.options.list();
    } catch (error) {
      this.options.log.warn({ event: 'destinations.not-read', cause: describeCause(error) });
      return;
    }
    if (this.stopping.signal.aborted) return;
    const incarnations = new Map(wanted.map((destination) => [destination.id, destination.incarnation]));
    for (const [id, { incarnation, stop, done }] of this.running) {
      if (incarnations.get(id) !== incarnation) {
        stop.abort();
        this.running.delete(id);
        this.ending.add(done);
        void done.finally(() => this.ending.delete(done));
      }
    }
    for (const destination of wanted) {
      if (this.running.has(destination.id)) continue;
      const stop = new AbortController();
      this.running.set(destination.id, {
        incarnation: destination.incarnation,
        stop,
        done: this.deliverForEver(destination, stop.signal),
      });
    }
  }

  private async deliverForEver(destination: D, stop: AbortSignal): Promise<void> {
    const { run, clock, log, leaseMs } = this.options;
    let crashes = 0;
    while (!stop.aborted) {
      try {
        const end = await run(destination, stop);
        if (end === 'gone') return;
        crashes = 0;
        if (end === 'not-owner') await clock.sleep(Math.min(1_000, leaseMs / 2), stop);
      } catch (error) {
        const pauseMs = backoffMs(crashes++, isAppError(error) && error.retry === 'later' ? RETRY : RESTART);
        const known = isAppError(error)
          ? { code: error.code, message: error.message, action: error.action }
          : { code: 'INTERNAL' as const };
        log.error({
          event: 'owner.crashed',
          destination: destination.id,
          ...known,
          cause: describeCause(error),
          attempt: crashes,
          ms: Math.round(pauseMs),
        });
        await clock.sleep(pauseMs, stop);
      }
    }
  }
}
