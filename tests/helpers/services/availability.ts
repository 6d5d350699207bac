import { describe, it } from '@jest/globals';

/** A part that tests need: either what was found of it, or the command that would make it available. */
export type Availability<T> =
  | { readonly name: string; readonly found: T }
  | {
      readonly name: string;
      readonly enableBy: string;
      /** Parts that no machine can install by itself: Docker, a licence. Only these may be absent when CI=true. */
      readonly needsPerson?: boolean;
    };

/**
 * `describe` for tests that need a part. Without it they are skipped under a name that says how to enable them; with CI=true that is a failure.
 * Find the part at the top of the test file: `const minio = await findMinio()`.
 */
export function describeWith<T>(part: Availability<T>, name: string, body: (found: T) => void): void {
  if ('found' in part) return describe(name, () => body(part.found));
  const skipped = `skipped: ${part.name}, enable it by: ${part.enableBy}`;
  describe(name, () => {
    if (process.env['CI'] !== 'true' || part.needsPerson === true) return it.skip(skipped, () => undefined);
    it(`has ${part.name}`, () => {
      throw new Error(skipped);
    });
  });
}

/** Both parts as one: available when both are. */
export function bothOf<A, B>(a: Availability<A>, b: Availability<B>): Availability<[A, B]> {
  if (!('found' in a)) return a;
  if (!('found' in b)) return b;
  return { name: `${a.name} and ${b.name}`, found: [a.found, b.found] };
}
