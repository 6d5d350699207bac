/** A resource as it was received; nothing about it is trusted but that it is an object. */
export type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };

/** One column that a view yields. */
export interface ViewColumn {
  readonly name: string;
  /** FHIR type, declared by the view or inferred from the R4 model (`date`, `dateTime`, `decimal`, `string`, …). */
  readonly fhirType: string;
  /** True when a value is a list (`collection: true`). */
  readonly collection: boolean;
  /** Type of SQL that the view asks for with the tag `ansi/type`, as it stands there. */
  readonly ansiType?: string | undefined;
  /** The expression that yields it (in a union: that of the first branch). */
  readonly path?: string;
}

/** What a column holds for one row: a FHIR primitive in its JSON form (a decimal that no JavaScript number can carry: as a string), a list of them (`collection`), or null. */
export type FlatValue = string | number | boolean | null | readonly (string | number | boolean | null)[];

/** An expression that compiled code leaves to fhirpath.js, which is slower by one to two orders of magnitude; the rows are the same. */
export interface ViewFallback {
  /** Place in the ViewDefinition, as `select[0].column[2].path`; empty when it is the whole view. */
  readonly path: string;
  readonly expression: string;
  /** Name of the column that it yields, if it does. */
  readonly column?: string;
  /** What the compiler does not know. */
  readonly reason: string;
}

/** A ViewDefinition that was checked and is ready to flatten resources of its type. */
export interface CompiledView {
  readonly name: string;
  readonly resourceType: string;
  readonly columns: readonly ViewColumn[];
  /** True when the view depends on trailing zeros of decimals: resources should then be read with `parseExactly` (exact-json.ts). */
  readonly needsExactDecimals?: boolean;
  /** What is not compiled; empty when all is. */
  readonly fallbacks?: readonly ViewFallback[];
  /**
   * The rows of one resource, values in the order of `columns`; none when the view's `where` excludes it.
   * @throws AppError VIEW_EVALUATION_FAILED naming view, column, expression, never a value; VIEW_TOO_SLOW when it was compiled as `quick`
   */
  readonly evaluate: (resource: Resource) => readonly (readonly FlatValue[])[];
}
