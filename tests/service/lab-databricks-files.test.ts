import { afterAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../helpers/services/availability.ts';
import { asMultiset } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import type { Row } from '../lab/databricks/registry/cells.ts';
import { Registry } from '../lab/databricks/registry/registry.ts';

/** The files that the Databricks stand-in writes hold exactly what it took: read by an engine that shares no code with it. */

const deltaRs = await findDeltaRs();
const folder = mkdtempSync(join(tmpdir(), 'lab-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeWith(deltaRs, 'files of the Databricks stand-in', (reader) => {
  const registry = new Registry(folder);
  registry.createCatalog('main', { storageRoot: 's3://bucket/managed' });
  registry.createSchema('main.fhir');
  const readRows = (name: string) => reader.readDeltaRows({ tablePath: registry.table(name).delta?.directory as string });

  it.each<[type: string, cells: Row[string][], shown: unknown[]]>([
    ['STRING', ['', 'Zoë \u{1F600}\uFFFD\0"\\', null], ['', 'Zoë \u{1F600}\uFFFD\0"\\', null]],
    ['BOOLEAN', [true, false, null], [true, false, null]],
    ['TINYINT', [-128, 127, null], [-128, 127, null]],
    ['SMALLINT', [-32768, 32767, null], [-32768, 32767, null]],
    ['INT', [-2147483648, 2147483647, 0], [-2147483648, 2147483647, 0]],
    ['BIGINT', [-(2n ** 63n), 2n ** 53n + 1n, 7n], ['-9223372036854775808', '9007199254740993', 7]],
    ['FLOAT', [0.5, -1.25, null], [0.5, -1.25, null]],
    ['DOUBLE', [0.1, Number.MIN_VALUE, NaN, -Infinity], [0.1, 5e-324, 'NaN', '-Infinity']],
    ['DECIMAL(9,2)', [-999999999n, 5n, null], ['-9999999.99', '0.05', null]],
    ['DECIMAL(18,0)', [10n ** 18n - 1n, -1n], ['999999999999999999', '-1']],
    [
      'DECIMAL(38,10)',
      [10n ** 38n - 1n, -(10n ** 38n) + 1n, 0n],
      ['9999999999999999999999999999.9999999999', '-9999999999999999999999999999.9999999999', '0.0000000000'],
    ],
    ['DATE', [0, -1, 19782, -719162], ['1970-01-01', '1969-12-31', '2024-02-29', '0001-01-01']],
    [
      'TIMESTAMP',
      [0n, -1n, 1727600000123456n, -62135596800000000n],
      [
        '1970-01-01T00:00:00.000000Z',
        '1969-12-31T23:59:59.999999Z',
        '2024-09-29T08:53:20.123456Z',
        '0001-01-01T00:00:00.000000Z',
      ],
    ],
    ['TIMESTAMP_NTZ', [1727600000123456n, -1n], ['2024-09-29T08:53:20.123456', '1969-12-31T23:59:59.999999']],
    ['BINARY', [new Uint8Array(), new Uint8Array([0, 255, 128]), null], ['', 'AP+A', null]],
    ['ARRAY<STRING>', [[], ['a', '', 'ü'], null, [null, 'b']], [[], ['a', '', 'ü'], null, [null, 'b']]],
    ['ARRAY<BIGINT>', [[2n ** 60n], [1n, 2n]], [['1152921504606846976'], [1, 2]]],
    ['ARRAY<DECIMAL(20,1)>', [[15n], []], [['1.5'], []]],
    ['ARRAY<TIMESTAMP>', [[-1n]], [['1969-12-31T23:59:59.999999Z']]],
    [
      'STRUCT<a: STRING, b: ARRAY<INT>, c: STRUCT<d: DATE>>',
      [{ a: 'x', b: [1], c: { d: 1 } }, { b: [] }, null],
      [{ a: 'x', b: [1], c: { d: '1970-01-02' } }, { a: null, b: [], c: null }, null],
    ],
    [
      'MAP<STRING, INT>',
      [
        [
          ['a', 1],
          ['b', null],
        ],
        [],
        null,
      ],
      [
        [
          ['a', 1],
          ['b', null],
        ],
        [],
        null,
      ],
    ],
    ['ARRAY<STRUCT<a: INT>>', [[{ a: 1 }, {}], []], [[{ a: 1 }, { a: null }], []]],
  ])('%s: every value is read back', async (type, cells, shown) => {
    const name = `main.fhir.t${registry.allTables.length}`;
    registry.createTable(name, {
      columns: [
        ['n', 'INT NOT NULL'],
        ['v', type],
      ],
    });
    await registry.appendRows(
      name,
      cells.map((v, n) => ({ n, v })),
    );
    const rows = (await readRows(name)).sort((a, b) => Number(a['n']) - Number(b['n']));
    expect(rows.map((row) => row['v'])).toEqual(shown);
  });

  it('rows before and after an added column, and features of the log', async () => {
    registry.createTable('main.fhir.grown', { columns: [['id', 'STRING']], features: ['domainMetadata'] });
    await registry.appendRows('main.fhir.grown', [{ id: 'old' }]);
    await registry.addColumns('main.fhir.grown', [
      ['city', 'STRING', 'where'],
      ['score', 'DOUBLE'],
    ]);
    await registry.appendRows('main.fhir.grown', [{ id: 'new', city: 'Ulm' }]);
    registry.table('main.fhir.grown').delta?.configure({ 'delta.appendOnly': 'true' });
    expect(asMultiset(await readRows('main.fhir.grown'))).toEqual(
      asMultiset([
        { id: 'new', city: 'Ulm', score: null },
        { id: 'old', city: null, score: null },
      ]),
    );
  });

  it('more rows than one row group', async () => {
    registry.createTable('main.fhir.many', { columns: [['n', 'INT']] });
    const count = 250_000;
    await registry.appendRows(
      'main.fhir.many',
      Array.from({ length: count }, (_, n) => ({ n })),
    );
    const rows = await readRows('main.fhir.many');
    expect([rows.length, rows.reduce((sum, row) => sum + Number(row['n']), 0)]).toEqual([count, (count * (count - 1)) / 2]);
  });
});
