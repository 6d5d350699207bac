import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameType, parseType, printType } from '../../../lab/databricks/registry/data-type.ts';
import { Registry, RegistryError } from '../../../lab/databricks/registry/registry.ts';
import { fromTypeJson, toTypeJson } from '../../../lab/databricks/registry/spark-json.ts';

/** The tables behind all services of the stand-in. */

let folder: string;
let registry: Registry;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-registry-'));
  registry = new Registry(folder);
  registry.createCatalog('main', { storageRoot: 's3://bucket/managed' });
  registry.createSchema('main.fhir');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('types', () => {
  it.each([
    ['STRING', 'string', 'STRING'],
    ['TINYINT', 'tinyint', 'BYTE'],
    ['smallint', 'smallint', 'SHORT'],
    ['INT', 'int', 'INT'],
    ['LONG', 'bigint', 'LONG'],
    ['Decimal( 38 , 10 )', 'decimal(38,10)', 'DECIMAL'],
    ['DECIMAL', 'decimal(10,0)', 'DECIMAL'],
    ['TIMESTAMP_NTZ', 'timestamp_ntz', 'TIMESTAMP_NTZ'],
    ["ARRAY<STRUCT<a: STRING NOT NULL COMMENT 'x', `b c` INT>>", 'array<struct<a:string,b c:int>>', 'ARRAY'],
    ['map<string,array<double>>', 'map<string,array<double>>', 'MAP'],
  ])('4.1 %s has type_text %s and type_name %s, and survives its JSON form', (sql, text, name) => {
    const type = parseType(sql);
    expect([printType(type), nameType(type)]).toEqual([text, name]);
    expect(fromTypeJson(JSON.parse(JSON.stringify(toTypeJson(type))))).toEqual(type);
  });

  it.each(['', 'TEXT', 'DECIMAL(39,0)', 'DECIMAL(4,5)', 'ARRAY<STRING', 'INT INT'])('refuses %p with the place', (text) => {
    expect(() => parseType(text)).toThrow(/^type '.*', character \d+: /);
  });
});

describe('tables', () => {
  it('says which part of a name does not exist', () => {
    const reasonOf = (name: string) => {
      try {
        registry.table(name);
      } catch (error) {
        return (error as RegistryError).reason;
      }
      return 'found';
    };
    registry.createTable('main.fhir.patient', { columns: [['id', 'STRING']] });
    expect(['no.fhir.patient', 'main.no.patient', 'main.fhir.no', 'MAIN.fhir.Patient'].map(reasonOf)).toEqual([
      'CATALOG_DOES_NOT_EXIST',
      'SCHEMA_DOES_NOT_EXIST',
      'TABLE_DOES_NOT_EXIST',
      'found',
    ]);
  });

  it('gives a table that is made again another id', () => {
    const first = registry.createTable('main.fhir.patient', { columns: [['id', 'STRING']] });
    registry.dropTable('main.fhir.patient');
    const second = registry.createTable('main.fhir.patient', { columns: [['id', 'STRING']] });
    expect(second.facts.tableId).not.toBe(first.facts.tableId);
  });

  it('keeps managed tables in default storage without a storage root (4024)', () => {
    registry.createCatalog('plain');
    registry.createSchema('plain.fhir');
    registry.createSchema('plain.own', { storageRoot: 's3://bucket/own' });
    const isInDefaultStorage = (schema: string) =>
      registry.createTable(`${schema}.t`, { columns: [['id', 'STRING']] }).facts.isInDefaultStorage;
    expect(['main.fhir', 'plain.fhir', 'plain.own'].map(isInDefaultStorage)).toEqual([false, true, false]);
  });

  it('refuses VARIANT columns with a clear message', () => {
    expect(() => registry.createTable('main.fhir.v', { columns: [['v', 'VARIANT']] })).toThrow('the lab does not write variant');
  });

  it('shows columns that somebody else adds to the log, and the old ones to who lags behind', async () => {
    const table = registry.createTable('main.fhir.patient', { columns: [['id', 'STRING NOT NULL']] });
    const other = new Registry(folder); // another process over the same files
    other.createCatalog('main');
    other.createSchema('main.fhir');
    other.createTable('main.fhir.patient', {
      columns: [],
      makeFiles: false,
      ...(table.facts.storageLocation !== undefined && { storageLocation: table.facts.storageLocation }),
    });
    await other.addColumns('main.fhir.patient', [['city', 'STRING']]);
    expect(table.columns.map((column) => column.name)).toEqual(['id', 'city']);
    expect(table.columnsAsOf(0).map((column) => column.name)).toEqual(['id']);
    await expect(other.addColumns('main.fhir.patient', [['CITY', 'STRING']])).rejects.toThrow('FIELD_ALREADY_EXISTS');
  });

  it('loses no append when two registries write one table', async () => {
    const table = registry.createTable('main.fhir.patient', { columns: [['id', 'STRING']] });
    const other = new Registry(folder);
    other.createCatalog('main');
    other.createSchema('main.fhir');
    other.createTable('main.fhir.patient', {
      columns: [],
      makeFiles: false,
      ...(table.facts.storageLocation !== undefined && { storageLocation: table.facts.storageLocation }),
    });
    for (let at = 0; at < 10; at++) {
      await (at % 2 === 0 ? registry : other).appendRows('main.fhir.patient', [{ id: String(at) }]);
    }
    expect(table.delta?.read().version).toBe(10);
    const names = readdirSync(table.delta?.directory as string);
    expect(names.filter((name) => name.endsWith('.parquet'))).toHaveLength(10);
  });

  it.each([
    [{ id: null }, 'id is NOT NULL and got NULL'],
    [{ id: 'a', no: 1 }, "no column 'no'"],
    [{ id: 'a', count: 2147483648 }, 'count is of type integer'],
    [{ id: 'a', amount: 1000n }, 'amount is of type decimal'],
    [{ id: 1 }, 'id is of type string'],
  ])('refuses to append %p', async (row, message) => {
    registry.createTable('main.fhir.t', {
      columns: [
        ['id', 'STRING NOT NULL'],
        ['count', 'INT'],
        ['amount', 'DECIMAL(3,1)'],
      ],
    });
    await expect(registry.appendRows('main.fhir.t', [row])).rejects.toThrow(message);
  });

  it('refuses to append to a table with a feature that an append would have to honour', async () => {
    registry.createTable('main.fhir.t', { columns: [['id', 'STRING']], features: ['rowTracking'] });
    await expect(registry.appendRows('main.fhir.t', [{ id: 'a' }])).rejects.toThrow('rowTracking');
  });
});

describe('grants', () => {
  it('1.3 direct grants are told from inherited ones; 4.2 EXTERNAL USE SCHEMA is not in ALL PRIVILEGES', () => {
    const { grants } = registry;
    grants.grant('sp', 'CATALOG', 'main', 'ALL PRIVILEGES');
    expect(grants.has('sp', 'TABLE', 'main.fhir.patient', 'MODIFY')).toBe(true);
    expect(grants.hasDirectly('sp', 'TABLE', 'main.fhir.patient', 'MODIFY')).toBe(false);
    expect(grants.has('sp', 'SCHEMA', 'main.fhir', 'EXTERNAL USE SCHEMA')).toBe(false);
    grants.grant('sp', 'TABLE', 'main.fhir.patient', 'MODIFY', 'SELECT');
    grants.revoke('sp', 'TABLE', 'main.fhir.patient', 'SELECT');
    expect(grants.list('sp', 'TABLE', 'main.fhir.patient')).toEqual(['MODIFY']);
  });
});
