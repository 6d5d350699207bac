import { describe, expect, it } from '@jest/globals';
import { makeCreateTable, parseTableName } from '../../../app/rows/create-table-sql.ts';

describe('CREATE TABLE', () => {
  it('quotes every name and the location', () => {
    const columns = [
      { name: 'i`d', type: { kind: 'string' }, nullable: false },
      {
        name: 'when',
        type: { kind: 'array', element: { kind: 'decimal', precision: 10, scale: 2 }, containsNull: true },
        nullable: true,
      },
    ] as const;
    expect(makeCreateTable(['main', 'a`b'], columns, "s3://b/o'x\\y")).toBe(
      "CREATE TABLE `main`.`a``b` (\n  `i``d` STRING NOT NULL,\n  `when` ARRAY<DECIMAL(10,2)>\n)\nUSING DELTA\nLOCATION 's3://b/o\\'x\\\\y';\n",
    );
  });
});

describe('a table name', () => {
  it.each([
    ['t', ['t']],
    ['main.fhir.patients', ['main', 'fhir', 'patients']],
    ['`my-cat`.fhir.`a``b`', ['my-cat', 'fhir', 'a`b']],
  ])('%s has the parts %j', (text, parts) => expect(parseTableName(text)).toEqual(parts));

  it.each(['', 'a.b.c.d', 'a..b', '.a', 'a.', 'a b', 'a/b', 'a`b', '`a', '``', '`a.b`', 'a;\ndrop', 'x'.repeat(256)])(
    '%j is none',
    (text) => expect(parseTableName(text)).toBeUndefined(),
  );
});
