import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { AppError } from '../../app/errors/app-error.ts';
import { assertAppendable, findObstacles } from '../../app/delta/gate.ts';
import { readSnapshot } from '../../app/delta/snapshot.ts';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import { goldenTablesMissing, unpackGoldenTables } from '../helpers/golden-tables.ts';

const TITLE = 'golden Delta tables';

/**
 * What each table is. Versions and columns were compared with delta-rs 1.6.6, which agrees on every table but those marked
 * `unconfirmed`: it refuses to open them at all (no schemaString, or reader version 99), and we refuse to append to them.
 */
interface Expected {
  readonly error?: string;
  readonly version?: number;
  readonly columns?: readonly string[];
  readonly obstacles?: readonly string[];
  readonly unconfirmed?: boolean;
}

if (goldenTablesMissing !== undefined) {
  it.skip(`${TITLE} (${goldenTablesMissing})`, () => undefined);
} else {
  const golden = unpackGoldenTables();
  const expectedTables = JSON.parse(readFileSync(new URL('delta-golden-expected.json', import.meta.url), 'utf8')) as Record<
    string,
    Expected
  >;

  /** Opens the table and describes it in the form of the expectations. */
  const describeTable = async (name: string): Promise<Expected> => {
    const store = await openLocalObjectStore(golden.pathOf(name), `golden:${name}`);
    try {
      const snapshot = await readSnapshot(store);
      return {
        version: snapshot.version,
        columns: snapshot.schema.fields.map((field) => `${field.name} ${field.typeName}${field.nullable ? '' : ' NOT NULL'}`),
        obstacles: findObstacles(snapshot),
      };
    } catch (error) {
      return { error: (error as AppError).code };
    } finally {
      await store.close();
    }
  };

  describe(TITLE, () => {
    afterAll(() => golden.remove());

    it('are all expected: 110 tables in 99 directories', () => {
      expect(golden.names).toEqual(Object.keys(expectedTables).sort());
    });

    it.each(Object.entries(expectedTables))(
      '%s opens as expected, or is refused by name',
      async (name, { unconfirmed, ...expected }) => {
        expect(await describeTable(name)).toEqual(expected);
        if (unconfirmed === true) expect(expected.obstacles).not.toEqual([]);
      },
    );

    it('are refused with every reason in the message when they cannot be appended to', async () => {
      const store = await openLocalObjectStore(golden.pathOf('spark-variant-checkpoint'), 'golden');
      const snapshot = await readSnapshot(store);
      await store.close();
      expect(() => assertAppendable(snapshot)).toThrow(
        /variantType \(column v\); .*variantType \(column struct_of_array_of_variants\.v\.element\)/,
      );
    });
  });
}
