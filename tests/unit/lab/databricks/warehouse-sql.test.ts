import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PRINCIPAL, startBench, TABLE, type Bench } from './warehouse-bench.ts';

const COLUMNS = `SELECT column_name, data_type, full_data_type, is_nullable FROM main.information_schema.columns
  WHERE table_schema = 'fhir' AND table_name = :name ORDER BY ordinal_position`;

describe('SQL warehouse: statements', () => {
  let bench: Bench;
  let folder: string;

  beforeAll(async () => {
    bench = await startBench();
    folder = mkdtempSync(join(tmpdir(), 'external-'));
  });
  afterAll(async () => {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const describeColumns = (name: string): Promise<unknown[]> => bench.run(COLUMNS, { namedParameters: { name } });
  const refuse = async (text: string, expected: RegExp): Promise<void> => {
    await expect(bench.run(text)).rejects.toThrow(expected);
  };

  it('10.1 data_type of a BIGINT is LONG or BIGINT by switch, full_data_type is bigint', async () => {
    await bench.run('CREATE TABLE main.fhir.counts (id STRING NOT NULL, c BIGINT, d DECIMAL(10,2))');
    const rows = await describeColumns('counts');
    expect(rows).toEqual([
      { column_name: 'id', data_type: 'STRING', full_data_type: 'string', is_nullable: 'NO' },
      { column_name: 'c', data_type: 'LONG', full_data_type: 'bigint', is_nullable: 'YES' },
      { column_name: 'd', data_type: 'DECIMAL', full_data_type: 'decimal(10,2)', is_nullable: 'YES' },
    ]);
    bench.lab.warehouse.switches.bigintIs = 'BIGINT';
    expect((await describeColumns('counts'))[1]).toMatchObject({ data_type: 'BIGINT' });
  });

  it('3.11 an added column shows in information_schema, DESCRIBE and the registry, and takes values', async () => {
    await bench.run('CREATE TABLE main.fhir.grows (id STRING)');
    await bench.run("INSERT INTO main.fhir.grows (id) VALUES ('before')");
    await bench.run('ALTER TABLE `main`.`fhir`.`grows` ADD COLUMNS (`Born` DATE, n BIGINT)');
    await refuse('ALTER TABLE main.fhir.grows ADD COLUMNS (born DATE)', /^\[FIELD_ALREADY_EXISTS\]/);
    await bench.run("INSERT INTO main.fhir.grows (id, born, n) VALUES ('after', '2024-02-29', 5)");
    expect(await describeColumns('grows')).toHaveLength(3);
    expect((await bench.run('DESCRIBE TABLE main.fhir.grows')).map((row) => row['data_type'])).toEqual([
      'string',
      'date',
      'bigint',
    ]);
    expect(bench.lab.registry.table('main.fhir.grows').columns.map(({ name }) => name)).toEqual(['id', 'Born', 'n']);
    expect(await bench.run('SELECT * FROM main.fhir.grows ORDER BY id DESC')).toEqual([
      { id: 'before', Born: null, n: null },
      { id: 'after', Born: '2024-02-29', n: 5 },
    ]);
  });

  it('3.6 one parameter of JSON carries any number of rows', async () => {
    const rows = Array.from({ length: 1_000 }, (_, index) => ({
      id: `json-${index}`,
      n: index % 3 === 0 ? null : index,
      ts: '2024-01-02T03:04:05.123456Z',
    }));
    const text = `INSERT INTO ${TABLE} (id, n, ts) SELECT id, n, to_timestamp(ts) FROM (SELECT inline(from_json(:rows,
      'ARRAY<STRUCT<id: STRING, n: INT, ts: STRING>>', map('mode', 'FAILFAST'))))`;
    expect(await bench.run(text, { namedParameters: { rows: JSON.stringify(rows) } })).toEqual([
      { num_affected_rows: 1_000, num_inserted_rows: 1_000 },
    ]);
    expect(await bench.run(`SELECT n, ts FROM ${TABLE} WHERE id IN ('json-3', 'json-4') ORDER BY id`)).toEqual([
      { n: null, ts: '2024-01-02 03:04:05.123456' },
      { n: 4, ts: '2024-01-02 03:04:05.123456' },
    ]);
    const bad = JSON.stringify([{ id: 'x', n: 'no number' }]);
    await expect(bench.run(text, { namedParameters: { rows: bad } })).rejects.toThrow(/^\[MALFORMED_RECORD_IN_PARSING/);
  });

  it('7.3 one bad row keeps the whole INSERT out', async () => {
    await refuse(`INSERT INTO ${TABLE} (id, n) VALUES ('whole', '1'), ('whole', 'x')`, /^\[CAST_INVALID_INPUT\]/);
    expect(await bench.run(`SELECT count(*) AS c FROM ${TABLE} WHERE id = 'whole'`)).toEqual([{ c: 0 }]);
  });

  it('10.5 the class of an overflow in INSERT is a switch', async () => {
    const text = `INSERT INTO ${TABLE} (id, n) VALUES ('over', 3000000000)`;
    await refuse(text, /^\[DELTA_CAST_OVERFLOW_IN_TABLE_WRITE\]/);
    bench.lab.warehouse.switches.insertOverflow = 'CAST_OVERFLOW_IN_TABLE_INSERT';
    await refuse(text, /^\[CAST_OVERFLOW_IN_TABLE_INSERT\]/);
  });

  it('6.3 a repeated MERGE adds nothing; equal rows of the source are both inserted, unless QUALIFY keeps one', async () => {
    await bench.run('CREATE TABLE main.fhir.staging (id STRING, n INT)');
    await bench.run("INSERT INTO main.fhir.staging VALUES ('m1', 1), ('m1', 2), ('m2', 1)");
    await bench.run('CREATE TABLE main.fhir.merged (id STRING, n INT)');
    const merge = 'MERGE INTO main.fhir.merged t USING main.fhir.staging s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *';
    expect(await bench.run(merge)).toMatchObject([{ num_inserted_rows: 3 }]);
    expect(await bench.run(merge)).toMatchObject([{ num_inserted_rows: 0 }]);
    await bench.run('CREATE TABLE main.fhir.single (id STRING, n INT)');
    const single = `MERGE INTO main.fhir.single t USING (SELECT * FROM main.fhir.staging
      QUALIFY row_number() OVER (PARTITION BY id ORDER BY n DESC) = 1) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)`;
    expect(await bench.run(single)).toMatchObject([{ num_inserted_rows: 2 }]);
    expect(await bench.run('SELECT * FROM main.fhir.single ORDER BY id')).toEqual([
      { id: 'm1', n: 2 },
      { id: 'm2', n: 1 },
    ]);
  });

  it('10.3 no value of a literal can end it', async () => {
    const nasty = ["'); DROP TABLE x; --", "\\'", '\\', 'a\nb\0c', '“ü😀”', "''", '%_'];
    const escaped = nasty.map((text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`);
    const [row] = await bench.run(`SELECT ${escaped.map((text, index) => `${text} AS c${index}`).join(', ')}`);
    expect(Object.values(row ?? {})).toEqual(nasty);
  });

  it('10.4 parameter markers in DDL are refused', async () => {
    await expect(
      bench.run('CREATE TABLE main.fhir.marked (id STRING) LOCATION :l', { namedParameters: { l: 'x' } }),
    ).rejects.toThrow(/PARAMETER_MARKER/);
  });

  describe('external tables', () => {
    it('4.4 LOCATION needs CREATE EXTERNAL TABLE on the external location that holds it', async () => {
      const text = `CREATE TABLE main.fhir.ext (id STRING) USING DELTA LOCATION '${pathToFileURL(join(folder, 'ext')).href}'`;
      await refuse(text, /^\[INSUFFICIENT_PERMISSIONS\][^]*on any External Location/);
      bench.lab.registry.createExternalLocation('outside', pathToFileURL(folder).href);
      await refuse(text, /^\[INSUFFICIENT_PERMISSIONS\][^]*CREATE EXTERNAL TABLE on External Location 'outside'/);
      bench.lab.registry.grants.grant(PRINCIPAL, 'EXTERNAL LOCATION', 'outside', 'CREATE EXTERNAL TABLE');
      await bench.run(text);
      expect(bench.lab.registry.table('main.fhir.ext').facts).toMatchObject({ type: 'EXTERNAL', owner: PRINCIPAL });
    });

    it('7.3 a location below that of another table, one with other files, and one with another table', async () => {
      const create = (path: string, columns: string): string =>
        `CREATE TABLE main.fhir.ext2 (${columns}) USING DELTA LOCATION '${pathToFileURL(join(folder, path)).href}'`;
      await refuse(create('ext/below', 'id STRING'), /^\[LOCATION_OVERLAP\]/);
      mkdirSync(join(folder, 'full'));
      writeFileSync(join(folder, 'full', 'a.txt'), '');
      await refuse(create('full', 'id STRING'), /^\[DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION\]/);
      await bench.run('DROP TABLE main.fhir.ext');
      await refuse(create('ext', 'other INT'), /^\[DELTA_CREATE_TABLE_SCHEME_MISMATCH\]/);
      await bench.run(create('ext', 'id STRING'));
    });
  });

  describe('privileges (3.11)', () => {
    const { grant, revoke } = {
      grant: (...args: Parameters<Bench['lab']['registry']['grants']['grant']>) => bench.lab.registry.grants.grant(...args),
      revoke: (...args: Parameters<Bench['lab']['registry']['grants']['revoke']>) => bench.lab.registry.grants.revoke(...args),
    };
    const insert = `INSERT INTO ${TABLE} (id) VALUES ('p')`;
    const merge = `MERGE INTO ${TABLE} t USING (SELECT 'p' AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)`;

    it.each([
      ['MODIFY', 'TABLE', TABLE, insert, /does not have MODIFY on Table 'main\.fhir\.patient'/],
      ['MODIFY', 'TABLE', TABLE, `ALTER TABLE ${TABLE} ADD COLUMNS (x INT)`, /does not have MODIFY on Table/],
      ['SELECT', 'TABLE', TABLE, merge, /does not have SELECT on Table/],
      ['SELECT', 'TABLE', TABLE, `SELECT * FROM ${TABLE}`, /does not have SELECT on Table/],
      ['USE SCHEMA', 'SCHEMA', 'main.fhir', insert, /does not have USE SCHEMA on Schema 'main\.fhir'/],
      ['USE CATALOG', 'CATALOG', 'main', insert, /does not have USE CATALOG on Catalog 'main'/],
      [
        'CREATE TABLE',
        'SCHEMA',
        'main.fhir',
        'CREATE TABLE main.fhir.denied (id STRING)',
        /does not have CREATE TABLE on Schema/,
      ],
    ] as const)('without %s on %s %s', async (privilege, kind, name, text, expected) => {
      revoke(PRINCIPAL, kind, name, privilege);
      await refuse(text, /^\[INSUFFICIENT_PERMISSIONS\]/);
      await refuse(text, expected);
      grant(PRINCIPAL, kind, name, privilege);
    });

    it('4.1 information_schema and SHOW TABLES show only what one may see', async () => {
      expect(await describeColumns('patient')).toHaveLength(3);
      revoke(PRINCIPAL, 'TABLE', TABLE);
      expect(await describeColumns('patient')).toEqual([]);
      const names = async (): Promise<unknown[]> => (await bench.run('SHOW TABLES IN main.fhir')).map((row) => row['tableName']);
      expect(await names()).not.toContain('patient');
      grant(PRINCIPAL, 'TABLE', TABLE, 'SELECT', 'MODIFY');
      expect(await names()).toContain('patient');
    });

    it("a table of one's own may be granted and dropped, another's not", async () => {
      await bench.run('CREATE TABLE main.fhir.own (id STRING)');
      await bench.run('GRANT SELECT, MODIFY ON TABLE main.fhir.own TO `other client`');
      expect(await bench.run('SHOW GRANTS ON TABLE main.fhir.own')).toEqual([
        { Principal: 'other client', ActionType: 'MODIFY', ObjectType: 'TABLE', ObjectKey: 'main.fhir.own' },
        { Principal: 'other client', ActionType: 'SELECT', ObjectType: 'TABLE', ObjectKey: 'main.fhir.own' },
      ]);
      await bench.run('DROP TABLE main.fhir.own');
      await refuse('DROP TABLE main.fhir.own', /^\[TABLE_OR_VIEW_NOT_FOUND\]/);
      await refuse(`GRANT SELECT ON TABLE ${TABLE} TO other`, /does not have MANAGE on Table/);
      await refuse(`DROP TABLE ${TABLE}`, /does not have MANAGE on Table/);
      await refuse('GRANT CREATE SCHEMA ON CATALOG main TO other', /does not have MANAGE on Catalog/);
    });

    it('current_user is the client id of the token', async () => {
      expect(await bench.run('SELECT current_user() AS me')).toEqual([{ me: PRINCIPAL }]);
    });
  });
});
