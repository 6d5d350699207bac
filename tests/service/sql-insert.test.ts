import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { readDriverFailure } from '../../app/databricks/warehouse/driver-failure.ts';
import { makeInsertStatement } from '../../app/databricks/warehouse/insert-statement.ts';
import { classifyFailure } from '../../app/databricks/warehouse/sql-failure.ts';
import { joinSqlRows, makeSqlRowEncoder } from '../../app/databricks/warehouse/sql-row.ts';
import { quoteText } from '../../app/rows/sql-quoting.ts';
import type { PrimitiveType, Row, TableColumn, TableValue } from '../../app/rows/table-type.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { asMultiset, type DeltaValue } from '../helpers/services/delta-reader.ts';
import { findSpark, type Spark } from '../helpers/services/spark.ts';

/** A type, how the table spells it, and values with what Spark must read of them (forms: tests/helpers/python/json_rows.py; times as Spark's own texts, in UTC). */
interface Sample {
  readonly name: string;
  readonly type: PrimitiveType;
  readonly sql: string;
  readonly values: readonly (readonly [TableValue, DeltaValue])[];
}
const simple = (kind: Exclude<PrimitiveType['kind'], 'decimal'>, sql: string, ...values: Sample['values']): Sample => ({
  name: kind,
  type: { kind },
  sql,
  values,
});

const TEXT = 'ü😀\u2028 "\\n" \\ \' ` ${spark.app.name} :rows ? \u0000\u0001\n\r\t';
const SAMPLES: readonly Sample[] = [
  simple('string', 'STRING', [TEXT, TEXT], ['', ''], ['null', 'null'], [' 1 ', ' 1 ']),
  simple('boolean', 'BOOLEAN', [true, true], [false, false]),
  simple('byte', 'TINYINT', [-128, -128], [127, 127]),
  simple('short', 'SMALLINT', [-32_768, -32_768], [32_767, 32_767]),
  simple('integer', 'INT', [-2_147_483_648, -2_147_483_648], [2_147_483_647, 2_147_483_647], [0, 0]),
  simple(
    'long',
    'BIGINT',
    [-(2n ** 63n), '-9223372036854775808'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [9_007_199_254_740_993n, '9007199254740993'],
  ),
  simple(
    'float',
    'FLOAT',
    [Math.fround(0.1), Math.fround(0.1)],
    [3.4028234663852886e38, 3.4028234663852886e38],
    [1.401298464324817e-45, 1.401298464324817e-45],
  ),
  simple(
    'double',
    'DOUBLE',
    [0.1, 0.1],
    [5e-324, 5e-324],
    [1.7976931348623157e308, 1.7976931348623157e308],
    [1e21, 1e21],
    [-1 / 3, -1 / 3],
  ),
  simple('date', 'DATE', [-719_162, '0001-01-01'], [2_932_896, '9999-12-31'], [-1, '1969-12-31'], [11_016, '2000-02-29']),
  simple(
    'timestamp',
    'TIMESTAMP',
    [-62_135_596_800_000_000n, '0001-01-01 00:00:00'],
    [253_402_300_799_999_999n, '9999-12-31 23:59:59.999999'],
    [-1n, '1969-12-31 23:59:59.999999'],
    [1_711_848_600_123_456n, '2024-03-31 01:30:00.123456'],
  ),
  simple(
    'timestamp_ntz',
    'TIMESTAMP_NTZ',
    [-62_135_596_800_000_000n, '0001-01-01 00:00:00'],
    [253_402_300_799_999_999n, '9999-12-31 23:59:59.999999'],
    [-1n, '1969-12-31 23:59:59.999999'],
  ),
  simple('binary', 'BINARY', [new Uint8Array([0, 255, 1]), 'AP8B'], [new Uint8Array(), '']),
  {
    name: 'decimal',
    type: { kind: 'decimal', precision: 38, scale: 10 },
    sql: 'DECIMAL(38,10)',
    values: [
      [10n ** 38n - 1n, `${'9'.repeat(28)}.${'9'.repeat(10)}`],
      [-(10n ** 38n - 1n), `-${'9'.repeat(28)}.${'9'.repeat(10)}`],
      [1n, '0.0000000001'],
      [0n, '0.0000000000'],
    ],
  },
  {
    name: 'fraction',
    type: { kind: 'decimal', precision: 38, scale: 38 },
    sql: 'DECIMAL(38,38)',
    values: [[-(10n ** 38n - 1n), `-0.${'9'.repeat(38)}`]],
  },
];
const SINGLES: readonly TableColumn[] = SAMPLES.map(({ name, type }) => ({ name, type, nullable: true }));
const LISTS: readonly TableColumn[] = SAMPLES.map(({ name, type }) => ({
  name: `${name} list`,
  type: { kind: 'array', element: type, containsNull: true },
  nullable: true,
}));
const SYSTEM: readonly TableColumn[] = [
  { name: '_event_id', type: { kind: 'string' }, nullable: true },
  { name: '_row_no', type: { kind: 'integer' }, nullable: true },
];
const COLUMNS = [...SINGLES, ...LISTS];

const found = await findSpark();

describeWith(found, 'a batch in one statement', (startSpark) => {
  let spark: Spark;
  let tables = 0;
  let table: readonly string[];
  let address: string;

  beforeAll(async () => {
    spark = await startSpark();
  }, 300_000);
  afterAll(() => spark.close(), 30_000);
  beforeEach(async () => {
    tables += 1;
    table = ['spark_catalog', 'default', `batch_${tables}`];
    address = `spark_catalog.default.batch_${tables}`;
    const columns = SAMPLES.flatMap(({ name, sql }) => [`\`${name}\` ${sql}`, `\`${name} list\` ARRAY<${sql}>`]);
    const properties = "TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"; // for names with spaces
    await spark.runSql(
      `CREATE TABLE ${address} (${columns.join(', ')}, _event_id STRING, _row_no INT) USING DELTA ${properties}`,
    );
  }, 300_000);

  const write = async (columns: readonly TableColumn[], rows: readonly Row[]): Promise<void> => {
    const encode = makeSqlRowEncoder(columns);
    await spark.runSql(makeInsertStatement(table, columns).sql, { rows: joinSqlRows(rows.map(encode)) });
  };

  it('gives exactly the values of every type, alone, in lists, and null', async () => {
    const most = Math.max(...SAMPLES.map(({ values }) => values.length));
    const rows: Row[] = [];
    const expected: Record<string, DeltaValue>[] = [];
    for (let index = 0; index < most; index++) {
      rows.push([
        ...SAMPLES.map(({ values }) => values[index]?.[0] ?? null),
        ...SAMPLES.map(({ values }) => (index === 0 ? [...values.map(([value]) => value), null] : index === 1 ? [] : null)),
      ]);
      expected.push({
        ...Object.fromEntries(SAMPLES.map(({ name, values }) => [name, values[index]?.[1] ?? null])),
        ...Object.fromEntries(
          SAMPLES.map(({ name, values }) => [
            `${name} list`,
            index === 0 ? [...values.map(([, value]) => value), null] : index === 1 ? [] : null,
          ]),
        ),
      });
    }
    rows.push(COLUMNS.map(() => null));
    expected.push({});
    await write(COLUMNS, rows);
    // Python cannot read the first day that SQL knows, and gets tiny decimals with other zeros: both are read as texts.
    const asText = (name: string, list: boolean): string =>
      /^(timestamp|decimal|fraction)/.test(name)
        ? `CAST(\`${name}${list ? ' list' : ''}\` AS ${list ? 'ARRAY<STRING>' : 'STRING'}) AS `
        : '';
    const fields = SAMPLES.flatMap(({ name }) => [`${asText(name, false)}\`${name}\``, `${asText(name, true)}\`${name} list\``]);
    expect(asMultiset(await spark.runSql(`SELECT ${fields.join(', ')} FROM ${address}`))).toEqual(asMultiset(expected));
  }, 300_000);

  it('keeps the sign of minus zero', async () => {
    const columns = SINGLES.filter(({ name }) => name === 'float' || name === 'double');
    await write(columns, [[-0, -0]]);
    const [row] = await spark.runSql(`SELECT CAST(float AS STRING) AS f, CAST(double AS STRING) AS d FROM ${address}`);
    expect(row).toEqual({ f: '-0.0', d: '-0.0' });
  }, 300_000);

  it('adds events that the table has already no second time, and all rows of new ones', async () => {
    const columns = [...SINGLES.slice(0, 1), ...SYSTEM];
    await write(columns, [
      ['a1', 'a', 1],
      ['a2', 'a', 2],
    ]);
    await write(columns, [
      ['a1', 'a', 1],
      ['a2', 'a', 2],
      ['b1', 'b', 1],
    ]);
    expect(asMultiset(await spark.runSql(`SELECT string, _event_id AS e FROM ${address}`))).toEqual(
      asMultiset([
        { string: 'a1', e: 'a' },
        { string: 'a2', e: 'a' },
        { string: 'b1', e: 'b' },
      ]),
    );
  }, 180_000);

  it.each([
    ['boolean', 'maybe'],
    ['byte', '128'],
    ['long', '9223372036854775808'],
    ['double', 'x'],
    ['date', '2020-02-30'],
    ['timestamp', '2020-13-01T00:00:00Z'],
    ['decimal', '1e40'],
  ])(
    'fails as a whole when a %s is not one, instead of writing null: SQL_ROW_REFUSED',
    async (name, text) => {
      const columns = SINGLES.filter((column) => column.name === 'string' || column.name === name);
      const rows = `[{"c0":"good"},{"c0":"bad","c1":"${text}"}]`;
      const error: unknown = await spark
        .runSql(makeInsertStatement(table, columns).sql, { rows })
        .catch((thrown: unknown) => thrown);
      const failure = await readDriverFailure(
        { name: 'Status Error', message: (error as Error).message.replace(/^An error occurred while calling \S+\n: /, '') },
        0,
      );
      const { error: classified } = classifyFailure(failure, { what: 'insert into', table }, error);
      expect(classified.message).toMatch(/CAST_|NUMERIC_|INVALID/);
      expect(classified).toMatchObject({ code: 'SQL_ROW_REFUSED' });
      expect(await spark.runSql(`SELECT * FROM ${address}`)).toEqual([]);
    },
    120_000,
  );

  it('fails as a whole when its text is damaged', async () => {
    const columns = SINGLES.slice(0, 1);
    await expect(spark.runSql(makeInsertStatement(table, columns).sql, { rows: '[{"c0":"a"},{"c0":' })).rejects.toThrow(
      'MALFORMED_RECORD_IN_PARSING',
    );
  }, 300_000);

  it('has literals that nothing can end or change', async () => {
    const texts = [TEXT, "'", "\\'", '\\', "'; DROP TABLE x; --", '${spark.app.name}', '\\u0041', '\\N', '%_'];
    const [row] = await spark.runSql(`SELECT ${texts.map((text, index) => `${quoteText(text)} AS t${index}`).join(', ')}`);
    expect(Object.values(row ?? {})).toEqual(texts);
  }, 60_000);
});
