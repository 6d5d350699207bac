/** Column types of a Delta table that rows can be written to, by the names of the Delta protocol. */
export type PrimitiveType =
  | {
      readonly kind:
        | 'string'
        | 'boolean'
        | 'byte'
        | 'short'
        | 'integer'
        | 'long'
        | 'float'
        | 'double'
        | 'date'
        | 'timestamp'
        | 'timestamp_ntz'
        | 'binary';
    }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

export type TableType =
  PrimitiveType | { readonly kind: 'array'; readonly element: PrimitiveType; readonly containsNull: boolean };

/** One column of a table, as the table's own schema says. */
export interface TableColumn {
  readonly name: string;
  readonly type: TableType;
  readonly nullable: boolean;
}

/**
 * One value in the shape its table type asks for: string → string; boolean → boolean; byte, short, integer, float, double → number;
 * long → bigint; date → number (days since 1970-01-01); timestamp, timestamp_ntz → bigint (microseconds since the epoch, UTC);
 * decimal → bigint (unscaled, at the column's scale); binary → Uint8Array; array → array of these.
 */
export type TableValue = string | number | bigint | boolean | Uint8Array | null | readonly TableValue[];

/** Values of one row, in the order of the table columns they are written to. */
export type Row = readonly TableValue[];
