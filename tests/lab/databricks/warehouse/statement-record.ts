import type { StatementRequest } from './engine.ts';
import type { StatementKind } from './sql/statement-facts.ts';

/** A statement that reached the engine, or that a fault stopped before it. */
export interface StatementRecord extends StatementRequest {
  readonly kind: StatementKind;
  readonly sessionId: string;
  /** False: refused before it took effect. */
  readonly wasExecuted: boolean;
}
