import type { Cell } from '../registry/cells.ts';
import type { SqlType } from './sql/sql-type.ts';

/** A bound parameter as it is on the wire (3.6): neither type nor value is NULL. */
export interface Parameter {
  /** Undefined: ordinal. */
  readonly name?: string;
  readonly type?: string;
  readonly value?: string;
}

/** One statement of one session. */
export interface StatementRequest {
  readonly text: string;
  readonly parameters: readonly Parameter[];
  /** Client id of who asks: what `current_user()` answers. */
  readonly principal: string;
  /** Namespace for names of one or two parts. */
  readonly catalog: string | undefined;
  readonly schema: string | undefined;
}

export interface ResultColumn {
  readonly name: string;
  readonly type: SqlType;
}

/** Statements that have no result have no columns. */
export interface StatementResult {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What executes statements behind the wire protocol. Permissions were checked before. */
export interface Engine {
  readonly name: 'interpreter' | 'Spark';
  /** @throws SqlError for what the statement gets wrong */
  execute(request: StatementRequest): Promise<StatementResult>;
  close(): Promise<void>;
}
