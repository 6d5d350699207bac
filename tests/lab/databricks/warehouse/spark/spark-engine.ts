import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomUUID } from 'node:crypto';
import type { Registry } from '../../registry/registry.ts';
import { fromTypeJson } from '../../registry/spark-json.ts';
import type { Table } from '../../registry/table.ts';
import type { Engine, ResultColumn, StatementRequest, StatementResult } from '../engine.ts';
import { resolveName } from '../resolve-name.ts';
import { SqlError } from '../sql/sql-error.ts';
import { readTypeText, type SqlType } from '../sql/sql-type.ts';
import { readFacts, type StatementFacts } from '../sql/statement-facts.ts';
import { readSparkCell } from './spark-cells.ts';
import { fromSparkText, isPath, nameInSpark, replaceNames } from './spark-names.ts';
import type { SparkAnswer, SparkProcess } from './spark-process.ts';

/**
 * Real Spark over the registry's tables: each is registered in Spark's own catalog under a name made of its catalog and schema. What Spark
 * has no part in (grants, `information_schema`, who the user is) goes to `catalog`, the interpreter.
 */
export function makeSparkEngine(registry: Registry, catalog: Engine, start: () => Promise<SparkProcess>): Engine {
  let starting: Promise<SparkProcess> | undefined;
  return {
    name: 'Spark',
    execute: async (request) => {
      const facts = readFacts(request.text);
      if (isForCatalog(request, facts)) return catalog.execute(request);
      starting ??= start();
      return new SparkStatement(registry, await starting, request, facts).execute();
    },
    close: async () => (await starting)?.close(),
  };
}

function isForCatalog({ text }: StatementRequest, { kind, tables }: StatementFacts): boolean {
  if (kind === 'SHOW' || kind === 'GRANT' || kind === 'REVOKE' || kind === 'DROP TABLE') return true;
  if (tables.some(({ name }) => name.at(-2)?.toLowerCase() === 'information_schema')) return true;
  return tables.length === 0 && /\b(?:current_user|session_user)\s*\(/i.test(text);
}

/** Spark's tables by the process that knows them: Spark's name → what it stands for. */
const registered = new WeakMap<SparkProcess, Map<string, string>>();

class SparkStatement {
  private readonly registry: Registry;
  private readonly spark: SparkProcess;
  private readonly request: StatementRequest;
  private readonly facts: StatementFacts;
  private readonly known: Map<string, string>;

  constructor(registry: Registry, spark: SparkProcess, request: StatementRequest, facts: StatementFacts) {
    this.registry = registry;
    this.spark = spark;
    this.request = request;
    this.facts = facts;
    this.known = registered.get(spark) ?? new Map<string, string>();
    registered.set(spark, this.known);
  }

  async execute(): Promise<StatementResult> {
    const written = this.facts.tables.find(({ isWritten }) => isWritten);
    if (written === undefined) return this.run();
    const fullName = resolveName(this.request, written.name);
    return this.registry.exclusively(fullName, async () => {
      if (this.facts.kind === 'CREATE TABLE') return this.createTable(fullName);
      const result = await this.run();
      return this.facts.kind === 'INSERT' ? countInserted(this.registry.findTable(fullName)) : result;
    });
  }

  private async run(suffix = ''): Promise<StatementResult> {
    const { text, parameters } = this.request;
    for (const { name } of this.facts.tables) if (!isPath(name)) await this.register(resolveName(this.request, name));
    const replaced = replaceNames(text, this.facts.tables, (name) => nameInSpark(resolveName(this.request, name)));
    return readResult(await this.spark.ask({ text: replaced + suffix, parameters }));
  }

  /** Make Spark's catalog know a table as the registry does. Names that the registry does not know are unknown to Spark, too. */
  private async register(fullName: string): Promise<void> {
    const name = nameInSpark(fullName);
    const table = this.registry.findTable(fullName);
    const location = table?.facts.storageLocation;
    const wanted = table === undefined || location === undefined ? undefined : `${table.facts.tableId} ${location}`;
    const state = wanted ?? 'unknown';
    if (this.known.get(name) === state) return;
    await this.must(`CREATE SCHEMA IF NOT EXISTS ${name.split('.')[0]}`);
    await this.must(`DROP TABLE IF EXISTS ${name}`);
    this.known.set(name, state);
    if (wanted === undefined) return;
    await this.must(`CREATE TABLE ${name} USING DELTA LOCATION '${location}'`);
  }

  private async createTable(fullName: string): Promise<StatementResult> {
    const { registry, facts, request } = this;
    if (registry.findTable(fullName) !== undefined) return this.run();
    try {
      registry.schemaOf(fullName);
    } catch {
      throw new SqlError('SCHEMA_NOT_FOUND', '42704', `The schema of ${fullName} cannot be found. SQLSTATE: 42704`);
    }
    const url = facts.location ?? pathToFileURL(join(registry.dataFolder, 'managed', randomUUID())).href;
    const result = await this.run(facts.location === undefined ? ` LOCATION '${url}'` : '');
    const name = nameInSpark(fullName);
    const { schema } = await this.spark.ask({ schemaOf: name });
    const type = fromTypeJson(schema);
    if (type.kind !== 'struct') throw new Error(`Spark knows no columns of ${fullName}`);
    const table = registry.createTable(fullName, {
      columns: type.fields,
      type: facts.location === undefined ? 'MANAGED' : 'EXTERNAL',
      storageLocation: url,
      owner: request.principal,
      makeFiles: false,
    });
    this.known.set(name, `${table.facts.tableId} ${url}`);
    return result;
  }

  private async must(text: string): Promise<void> {
    readResult(await this.spark.ask({ text }));
  }
}

function readResult({ columns = [], rows = [], error }: SparkAnswer): StatementResult {
  if (error !== undefined) throw toSqlError(error);
  const typed = columns.map(({ name, type }): ResultColumn => ({ name, type: readType(type) }));
  return { columns: typed, rows: rows.map((row) => typed.map(({ type }, index) => readSparkCell(row[index], type))) };
}

function readType(text: string): SqlType {
  return text === 'void' ? { kind: 'void' } : readTypeText(text);
}

/** Class and SQLSTATE are Spark's own; names in the text are the registry's. */
function toSqlError({ class: errorClass, sqlState, message }: NonNullable<SparkAnswer['error']>): SqlError {
  const text = fromSparkText(message.trim()).replace(/^\[[A-Z0-9_.]+\]\s*/, '');
  return new SqlError(errorClass ?? 'INTERNAL_ERROR', sqlState ?? 'XX000', text);
}

/** What a warehouse tells of an INSERT and open-source Spark does not: the rows, from the metrics of the last commit. */
function countInserted(table: Table | undefined): StatementResult {
  if (table?.delta === undefined) return { columns: [], rows: [] };
  const { version } = table.delta.read();
  const log = readFileSync(join(table.delta.directory, '_delta_log', `${String(version).padStart(20, '0')}.json`), 'utf8');
  const info = log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { commitInfo?: { operationMetrics?: { numOutputRows?: string } } })
    .find((action) => action.commitInfo !== undefined);
  const count = BigInt(info?.commitInfo?.operationMetrics?.numOutputRows ?? '0');
  const type = { kind: 'long' } as const;
  return {
    columns: [
      { name: 'num_affected_rows', type },
      { name: 'num_inserted_rows', type },
    ],
    rows: [[count, count]],
  };
}
