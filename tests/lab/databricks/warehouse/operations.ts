import { randomUUID } from 'node:crypto';
import type { StatementResult } from './engine.ts';
import { SqlError } from './sql/sql-error.ts';

export type OperationState = 'PENDING' | 'RUNNING' | 'FINISHED' | 'ERROR' | 'CANCELED' | 'CLOSED' | 'TIMEDOUT';

/** A statement under way or ended. */
export class Operation {
  readonly id = randomUUID();
  readonly sessionId: string;
  state: OperationState = 'PENDING';
  result: StatementResult | undefined;
  error: SqlError | undefined;
  /** Rows that were fetched. */
  fetched = 0;
  /** Resolves when the operation has ended, however. */
  readonly ended: Promise<void>;
  private end: () => void = () => undefined;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  /** The engine works on it. */
  begin(): void {
    if (this.state === 'PENDING') this.state = 'RUNNING';
  }

  /** Follow the work. What becomes known after a cancel is not shown. */
  async run(work: () => Promise<StatementResult>): Promise<void> {
    try {
      const result = await work();
      this.finish('FINISHED', () => (this.result = result));
    } catch (error) {
      this.finish('ERROR', () => (this.error = toSqlError(error)));
    }
  }

  /** End it in a state, unless it has ended. */
  finish(state: OperationState, settle: () => void = () => undefined): void {
    if (this.hasEnded) return;
    settle();
    this.state = state;
    this.end();
  }

  get hasEnded(): boolean {
    return this.state !== 'PENDING' && this.state !== 'RUNNING';
  }
}

function toSqlError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new SqlError('INTERNAL_ERROR', 'XX000', `The stand-in failed: ${text} SQLSTATE: XX000`);
}
