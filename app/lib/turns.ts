import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/**
 * Keeps long work from holding up everything else in the process. By time, not by count: under load a turn of the others takes as long as they
 * like, so the fewer turns they are given, the more is left for the work.
 */
export class Turns {
  private readonly clock: Clock;
  private readonly turnMs: number;
  private beganAtMs: number;

  /** @param turnMs how long the work may go on before others get their turn */
  constructor(clock: Clock, turnMs: number) {
    this.clock = clock;
    this.turnMs = turnMs;
    this.beganAtMs = clock.monotonic();
  }

  get isOver(): boolean {
    return this.clock.monotonic() - this.beganAtMs >= this.turnMs;
  }

  /** Lets the others run; then a new turn begins. */
  async next(): Promise<void> {
    await nextTurn();
    this.beganAtMs = this.clock.monotonic();
  }
}
