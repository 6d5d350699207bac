import { setTimeout as pause } from 'node:timers/promises';
import { runOwner, type OwnerEnd } from '../../../app/delivery/owner.ts';
import type { OwnerOptions } from '../../../app/delivery/owner-options.ts';
import type { ErrorCode } from '../../../app/errors/catalogue.ts';
import type { LogFields, Logger } from '../../../app/log.ts';
import { Crash, type Call, type CallName, type Fault, type Gate } from './gate.ts';

/** A call that takes longer than this to come is a fault of the test. */
const PATIENCE_MS = 10_000;
const MOST_CALLS = 2_000;
const isOneOf =
  (...names: CallName[]) =>
  ({ name }: Call): boolean =>
    names.includes(name);

/**
 * The product's owner, played step by step: each method lets it go on until it stands before its next step of the model. Between two
 * methods it is paused, for as long as the trace likes.
 */
export class ActingOwner {
  readonly name: string;
  /** Why it waits for a person, if it does. */
  blockedBy: ErrorCode | undefined;
  /** How its tenure ended. */
  end: OwnerEnd | 'crashed' | undefined;
  private readonly gate: Gate;
  private readonly options: Omit<OwnerOptions, 'log'>;
  private readonly stop = new AbortController();
  private hasStarted = false;
  private over: Promise<void> = Promise.resolve();
  private failure: unknown;

  constructor(name: string, gate: Gate, options: Omit<OwnerOptions, 'log'>) {
    this.name = name;
    this.gate = gate;
    this.options = options;
  }

  get isAlive(): boolean {
    return this.hasStarted && this.end === undefined;
  }

  /** Up to the first reading of the table. */
  async gainsLease(): Promise<void> {
    this.hasStarted = true;
    this.over = runOwner({ ...this.options, log: this.listen() }, this.stop.signal).then(
      (end) => void (this.end = end),
      (error: unknown) => {
        this.end = 'crashed';
        if (!(error instanceof Crash)) this.failure = error;
      },
    );
    await this.goTo(isOneOf('checkpoint'));
    if (this.end !== undefined) throw new Error(`${this.name} did not gain the lease: ${this.end}`);
  }

  /** Snapshot, window, checkpoint; up to the first look for jobs. */
  async readsWindow(): Promise<void> {
    await this.goTo(isOneOf('peek'));
  }

  /**
   * Takes jobs, extends the window, writes the data file and looks whether lease and destination are still there; up to the commit, or
   * to the end of the jobs when there is nothing to commit.
   */
  async takes({ before = 'commit' }: { readonly before?: 'look' | 'commit' } = {}): Promise<void> {
    if ((await this.next())?.name === 'settle') return; // it held the events already, and knows them all
    await this.goTo(before === 'look' ? isOneOf('held', 'settle') : isOneOf('putIfAbsent', 'settle'));
  }

  /** Puts the commit. */
  async puts(fault?: Fault): Promise<void> {
    if ((await this.next())?.name !== 'putIfAbsent') await this.goTo(isOneOf('putIfAbsent'));
    await this.goTo(() => true, fault);
  }

  /** Reads what others (or its own lost put) committed, forms what is left anew; up to the next commit or the end of the jobs. */
  async readsWinners(): Promise<void> {
    await this.goTo(isOneOf('putIfAbsent', 'settle'));
  }

  /** Reads one commit that might have won. */
  async readsOneCommit(fault?: Fault): Promise<void> {
    await this.goTo(() => true, fault);
  }

  /** The batch failed; up to the pause before it tries again. */
  async givesUpForNow(): Promise<void> {
    await this.goTo(isOneOf('sleep'));
  }

  /** One transaction of the store, whatever is in it. */
  async settles(): Promise<void> {
    const call = await this.next();
    if (call?.name !== 'settle') throw new Error(`${this.name} should settle, but stands before ${call?.name ?? 'nothing'}`);
    await this.goTo(() => true);
  }

  /** Everything up to the commit, whatever comes before it. */
  async goesToCommit(): Promise<void> {
    await this.goTo(isOneOf('putIfAbsent'));
  }

  /** Until it has nothing to do, needs a person, or ends. */
  async goesOn(): Promise<void> {
    await this.goTo(() => false);
  }

  /** Its process dies. What it asked for and did not get never happens. */
  async crashes(): Promise<void> {
    this.gate.crash();
    await this.over;
  }

  /** Is told to stop, and does. */
  async stops(): Promise<void> {
    this.stop.abort();
    while (this.isAlive) await (await this.next())?.open();
  }

  private async goTo(isThere: (call: Call) => boolean, fault?: Fault): Promise<void> {
    const first = await this.next();
    if (first?.name === 'sleep') this.blockedBy = undefined;
    await first?.open(fault);
    for (let calls = 0; calls < MOST_CALLS; calls += 1) {
      const call = await this.next();
      if (call === undefined || isThere(call) || this.isAtRest(call)) return;
      await call.open();
    }
    throw new Error(`${this.name} makes calls for ever`);
  }

  private isAtRest({ name }: Call): boolean {
    return name === 'waitForJob' || (name === 'sleep' && this.blockedBy !== undefined);
  }

  private async next(): Promise<Call | undefined> {
    const patience = new AbortController();
    const tooLong = pause(PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
      throw new Error(`${this.name} made no call for ${PATIENCE_MS} ms`);
    });
    tooLong.catch(() => undefined);
    const call = await Promise.race([this.gate.next(this.over), tooLong]);
    patience.abort();
    if (this.failure !== undefined) throw new Error(`${this.name} failed`, { cause: this.failure });
    return call;
  }

  private listen(): Logger {
    const ignore = (): void => undefined;
    return {
      debug: ignore,
      info: ignore,
      warn: (fields) => this.hear(fields),
      error: (fields) => this.hear(fields),
    };
  }

  private hear({ event, code }: LogFields): void {
    if (event === 'delivery.blocked') this.blockedBy = code;
  }
}
