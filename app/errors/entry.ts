/** One line of the error catalogue. */
export interface ErrorEntry {
  /** `later`: the product tries again by itself. `never`: it waits for a person. */
  readonly retry: 'later' | 'never';
  /** What it means, for docs/errors.md. One sentence. */
  readonly meaning: string;
  /** What the operator should do. One sentence, imperative. */
  readonly action: string;
}
