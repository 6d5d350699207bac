import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { printType } from '../lab/databricks/registry/data-type.ts';
import { Registry } from '../lab/databricks/registry/registry.ts';
import type { Engine, Parameter } from '../lab/databricks/warehouse/engine.ts';
import { DEFAULT_SQL_SWITCHES } from '../lab/databricks/warehouse/interpreter/context.ts';
import { toJsonText } from '../lab/databricks/warehouse/interpreter/format.ts';
import { makeInterpreter } from '../lab/databricks/warehouse/interpreter/interpreter.ts';
import { makeSparkEngine } from '../lab/databricks/warehouse/spark/spark-engine.ts';
import { findSparkSql, type SparkProcess } from '../lab/databricks/warehouse/spark/spark-process.ts';
import { SqlError } from '../lab/databricks/warehouse/sql/sql-error.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { CASES } from './databricks/statements.ts';

/** Where open-source Spark is known to differ from Databricks, this is what the former says. */
const SWITCHES = { ...DEFAULT_SQL_SWITCHES, insertOverflow: 'CAST_OVERFLOW_IN_TABLE_INSERT' } as const;

describeWith(findSparkSql(), 'the two engines of the SQL warehouse', (startSpark) => {
  const folders: string[] = [];
  let interpreter: Engine;
  let spark: Engine;
  let sparkProcess: SparkProcess;

  beforeAll(async () => {
    interpreter = makeInterpreter(makeRegistry(folders), SWITCHES);
    const registry = makeRegistry(folders);
    sparkProcess = await startSpark();
    spark = makeSparkEngine(registry, makeInterpreter(registry, SWITCHES), async () => sparkProcess);
  }, 300_000);

  afterAll(async () => {
    await sparkProcess.close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  // Each engine has its own registry above; here Spark works on the interpreter's tables.
  it('each engine reads what the other wrote, in one table', async () => {
    const registry = makeRegistry(folders);
    const own = makeInterpreter(registry, SWITCHES);
    const real = makeSparkEngine(registry, own, async () => sparkProcess);
    const [create, ...inserts] = [
      'CREATE TABLE main.fhir.both (id STRING, n BIGINT, dec DECIMAL(20,3), f FLOAT, dt DATE, ts TIMESTAMP, bin BINARY, tags ARRAY<STRING>, s STRUCT<a: INT>) USING DELTA',
      `INSERT INTO main.fhir.both VALUES ('ü', 9007199254740993, 12345678901234567.125, 0.1, DATE'1960-02-29', TIMESTAMP'1960-01-02 03:04:05.000001', X'00ff', array('x', NULL), named_struct('a', 1))`,
      'INSERT INTO main.fhir.both (id) VALUES (NULL)',
      `MERGE INTO main.fhir.both t USING (SELECT 'ü' AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)`,
    ];
    for (const engine of [own, real]) {
      if (registry.findTable('main.fhir.both') !== undefined) registry.dropTable('main.fhir.both');
      await engine.execute(makeRequest(create));
      for (const text of inserts) for (const writer of [own, real]) await writer.execute(makeRequest(text));
      const all = makeRequest('SELECT * FROM main.fhir.both');
      const [seen, expected] = [await tell(own, all), await tell(real, all)];
      expect(seen).toEqual(expected);
      expect((seen as { rows: string[] }).rows).toHaveLength(4);
    }
  }, 300_000);

  for (const [section, cases] of Object.entries(CASES)) {
    describe(section, () => {
      for (const [index, statement] of cases.entries()) {
        const [text, parameters] = typeof statement === 'string' ? [statement, []] : statement;
        it(`${index + 1}: ${text.slice(0, 120)}`, async () => {
          const request = makeRequest(text, parameters);
          const [own, real] = [await tell(interpreter, request), await tell(spark, request)];
          expect(own).toEqual(real);
        }, 120_000);
      }
    });
  }
});

function makeRegistry(folders: string[]): Registry {
  const folder = mkdtempSync(join(tmpdir(), 'engines-'));
  folders.push(folder);
  const registry = new Registry(folder);
  registry.createCatalog('main', { storageRoot: `file://${folder}` });
  registry.createSchema('main.fhir');
  return registry;
}

function makeRequest(text: string, parameters: readonly Parameter[] = []): Parameters<Engine['execute']>[0] {
  return { text, parameters, principal: 'writer', catalog: undefined, schema: undefined };
}

/** Rows as sorted texts with the types of their columns, or the class and SQLSTATE of the error. */
async function tell(engine: Engine, request: Parameters<Engine['execute']>[0]): Promise<unknown> {
  try {
    const { columns, rows } = await engine.execute(request);
    const types = columns.map(({ type }) => (type.kind === 'void' ? 'void' : printType(type)));
    const texts = rows.map((row) =>
      JSON.stringify(row.map((cell, index) => toJsonText(cell, columns[index]?.type ?? { kind: 'void' }))),
    );
    return { types, rows: texts.sort() };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return { error: error.errorClass, sqlState: error.sqlState };
  }
}
