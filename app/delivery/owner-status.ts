import { z } from 'zod';
import type { AppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { DestinationQueue } from '../queue/queue-store.ts';

const LAST_ERRORS = 5;
/** Also published when nothing happens, so that a destination without a worker can be told from a quiet one. */
const HEARTBEAT_MS = 10_000;

const Stored = z.object({
  v: z.literal(1),
  state: z.enum(['starting', 'active', 'retrying', 'blocked']),
  inProcess: z.number(),
  lastErrors: z.array(z.object({ code: z.string(), message: z.string(), action: z.string(), atMs: z.number() })),
  tableVersion: z.number().optional(),
  lastCommitAtMs: z.number().optional(),
  storeLoss: z.enum(['emptied', 'rolled-back']).optional(),
  warnings: z.array(z.string()).default([]),
  atMs: z.number(),
});

/** What an owner publishes for every replica to show. */
export type PublishedStatus = z.infer<typeof Stored>;

export function decodeStatus(bytes: Uint8Array | undefined): PublishedStatus | undefined {
  if (bytes === undefined) return undefined;
  try {
    return Stored.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

/** Collects what happens to an owner and publishes it, at most once in `everyMs`; a failed publication is made good by the next. */
export class OwnerStatus {
  private readonly queue: DestinationQueue;
  private readonly clock: Clock;
  private readonly everyMs: number;
  private current: Omit<PublishedStatus, 'v' | 'atMs'> = { state: 'starting', inProcess: 0, lastErrors: [], warnings: [] };
  private timer: NodeJS.Timeout | undefined;
  private readonly heartbeat: NodeJS.Timeout;

  constructor(queue: DestinationQueue, clock: Clock, everyMs = 500) {
    this.queue = queue;
    this.clock = clock;
    this.everyMs = everyMs;
    this.heartbeat = setInterval(() => this.change({}), HEARTBEAT_MS);
    this.change({});
  }

  setInProcess(events: number): void {
    this.change({ inProcess: events });
  }

  /** What the open table and the view have for the user to know. */
  setWarnings(warnings: readonly string[]): void {
    this.change({ warnings: [...warnings] });
  }

  recordCommit(tableVersion: number | undefined): void {
    this.change({ state: 'active', ...(tableVersion === undefined ? {} : { tableVersion }), lastCommitAtMs: this.clock.now() });
  }

  recordRecovery(): void {
    this.change({ state: 'active' });
  }

  recordFailure(error: AppError, blocked: boolean): void {
    const entry = { code: error.code, message: error.message, action: error.action, atMs: this.clock.now() };
    this.change({
      state: blocked ? 'blocked' : 'retrying',
      lastErrors: [entry, ...this.current.lastErrors].slice(0, LAST_ERRORS),
    });
  }

  recordStoreLoss(storeLoss: 'emptied' | 'rolled-back'): void {
    this.change({ storeLoss });
  }

  /** @param publish false when another owner may have published already */
  async close({ publish }: { readonly publish: boolean }): Promise<void> {
    clearTimeout(this.timer);
    clearInterval(this.heartbeat);
    this.timer = undefined;
    this.current = { ...this.current, inProcess: 0 };
    if (publish) await this.publish();
  }

  private change(part: Partial<PublishedStatus>): void {
    this.current = { ...this.current, ...part };
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.publish();
    }, this.everyMs);
  }

  private async publish(): Promise<void> {
    const stored: PublishedStatus = { v: 1, atMs: this.clock.now(), ...this.current };
    await this.queue.publishStatus(new TextEncoder().encode(JSON.stringify(stored))).catch(() => undefined);
  }
}
