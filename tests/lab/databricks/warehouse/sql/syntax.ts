import type { Cell } from '../../registry/cells.ts';
import type { DataType, StructField } from '../../registry/data-type.ts';
import type { SqlType } from './sql-type.ts';

/** What the parser makes of a statement. Names are lists of parts, as written. */
export type Statement =
  | CreateTable
  | { readonly kind: 'drop-table'; readonly table: Name; readonly ifExists: boolean }
  | { readonly kind: 'add-columns'; readonly table: Name; readonly columns: readonly NewColumn[] }
  | { readonly kind: 'describe'; readonly table: Name; readonly isExtended: boolean }
  | { readonly kind: 'show-tables'; readonly schema: Name }
  | { readonly kind: 'show-grants'; readonly principal: string | undefined; readonly on: Securable }
  | Grant
  | Insert
  | Merge
  | { readonly kind: 'query'; readonly query: Query };

export type Name = readonly string[];

export interface CreateTable {
  readonly kind: 'create-table';
  readonly table: Name;
  readonly ifNotExists: boolean;
  readonly columns: readonly NewColumn[];
  readonly format: string;
  readonly location: string | undefined;
  readonly comment: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
}

export interface NewColumn extends StructField {
  readonly hasDefault: boolean;
}

export interface Securable {
  readonly kind: 'CATALOG' | 'SCHEMA' | 'TABLE' | 'EXTERNAL LOCATION';
  readonly name: Name;
}

export interface Grant {
  readonly kind: 'grant' | 'revoke';
  /** In upper case, with single spaces: `USE CATALOG`. */
  readonly privileges: readonly string[];
  readonly on: Securable;
  readonly principal: string;
}

export interface Insert {
  readonly kind: 'insert';
  readonly table: Name;
  /** Undefined: every column, by position. */
  readonly columns: readonly string[] | undefined;
  readonly query: Query;
}

/** Only `WHEN NOT MATCHED THEN INSERT`. */
export interface Merge {
  readonly kind: 'merge';
  readonly table: Name;
  readonly alias: string | undefined;
  readonly source: Relation;
  readonly condition: Expression;
  /** Undefined: `INSERT *`. */
  readonly insert: { readonly columns: readonly string[]; readonly values: readonly Expression[] } | undefined;
}

export type Query =
  | { readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[] }
  | {
      readonly kind: 'select';
      readonly items: readonly SelectItem[];
      readonly from: Relation | undefined;
      readonly where: Expression | undefined;
      readonly qualify: Expression | undefined;
      readonly orderBy: readonly SortKey[];
      readonly limit: number | undefined;
    };

export type SelectItem =
  | { readonly kind: 'star'; readonly qualifier: Name }
  | { readonly kind: 'expression'; readonly expression: Expression; readonly alias: string | undefined };

export type Relation =
  | { readonly kind: 'table'; readonly name: Name; readonly alias: string | undefined }
  | { readonly kind: 'subquery'; readonly query: Query; readonly alias: string | undefined };

export interface SortKey {
  readonly expression: Expression;
  readonly isDescending: boolean;
}

export type Operator = '=' | '<=>' | '<>' | '<' | '<=' | '>' | '>=' | 'AND' | 'OR' | 'NOT' | '-' | 'IS NULL' | 'IN' | 'LIKE';

export type Expression =
  | { readonly kind: 'literal'; readonly type: SqlType; readonly value: Cell; readonly text: string }
  /** `key`: a name, or the number of a `?`. */
  | { readonly kind: 'parameter'; readonly key: string | number; readonly text: string }
  | { readonly kind: 'column'; readonly path: Name; readonly text: string }
  | {
      readonly kind: 'cast';
      readonly operand: Expression;
      readonly type: DataType;
      readonly isTry: boolean;
      readonly text: string;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly operands: readonly Expression[];
      readonly window: Window | undefined;
      readonly text: string;
    }
  | { readonly kind: 'operator'; readonly operator: Operator; readonly operands: readonly Expression[]; readonly text: string };

/** `OVER (PARTITION BY … ORDER BY …)` */
export interface Window {
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortKey[];
}
