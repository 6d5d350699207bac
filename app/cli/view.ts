import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { zerobusTableNotes } from '../databricks/zerobus-table-notes.ts';
import { checkZerobusNames } from '../databricks/zerobus-rows.ts';
import { isAppError } from '../errors/app-error.ts';
import { FORMATS, type Format } from '../flatten/make-encoder.ts';
import { openOutputFile, openStandardOutput, ReaderGone } from '../flatten/output-file.ts';
import { makeProgress } from '../flatten/progress.ts';
import { runView } from '../flatten/run-view.ts';
import { readViewFile, ViewFileInvalid } from '../flatten/view-file.ts';
import { listColumns, reportView } from '../flatten/view-report.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { makeCreateTable, parseTableName } from '../rows/create-table-sql.ts';
import { systemColumns } from '../rows/row-encoder.ts';
import { tableColumnsForView } from '../rows/table-schema.ts';
import type { FhirRelease } from '../view/fhir-model.ts';

const USAGE = `usage: npm run view -- check FILE
       npm run view -- columns FILE
       npm run view -- ddl FILE [--mode managed-zerobus|managed-sql|external-direct] [--system-columns] [--table NAME] [--location URI]
       npm run view -- run FILE DATA.ndjson[.gz]|- [--out table|ndjson|csv|parquet] [--output PATH] [--threads N] [--skip-errors] [--progress]
FILE is a ViewDefinition. Each takes --fhir-version R4|R5, for views that name none. Without --output, run prints to standard output: patient data. Exit status: 0 done, 1 problems, 2 wrong words.`;

const MODES = ['managed-zerobus', 'managed-sql', 'external-direct'] as const;
const MAX_THREADS = 64;
/** What shells show for a program that was interrupted. */
const INTERRUPTED = 130;

/** The words of the command do not make sense. */
class WrongWords extends Error {}

interface Options {
  readonly mode?: string;
  readonly 'fhir-version'?: string;
  readonly 'system-columns'?: boolean;
  readonly table?: string;
  readonly location?: string;
  readonly out?: string;
  readonly output?: string;
  readonly threads?: string;
  readonly 'skip-errors'?: boolean;
  readonly progress?: boolean;
}

/** The options as they are, and the release of FHIR that they choose. */
interface Chosen extends Options {
  readonly release: FhirRelease;
}

/** What each command takes: how many files, and which options. */
const COMMANDS: Readonly<
  Record<
    string,
    {
      readonly files: number;
      readonly options: readonly string[];
      readonly run: (files: string[], options: Chosen) => Promise<number>;
    }
  >
> = {
  check: { files: 1, options: [], run: ([file = ''], { release }) => check(file, release) },
  columns: { files: 1, options: [], run: ([file = ''], { release }) => columns(file, release) },
  ddl: { files: 1, options: ['mode', 'system-columns', 'table', 'location'], run: ([file = ''], options) => ddl(file, options) },
  run: {
    files: 2,
    options: ['out', 'output', 'threads', 'skip-errors', 'progress'],
    run: ([file = '', data = ''], options) => run(file, data, options),
  },
};

async function main(): Promise<number> {
  const { values, positionals } = parseWords();
  const [name = '', ...files] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new WrongWords(name === '' ? 'no command' : `there is no command ${name}`);
  if (files.length !== command.files) throw new WrongWords(`${name} takes ${command.files} file(s)`);
  const foreign = Object.keys(values).find((option) => option !== 'fhir-version' && !command.options.includes(option));
  if (foreign !== undefined) throw new WrongWords(`${name} takes no --${foreign}`);
  const release = values['fhir-version'] ?? 'R4';
  if (release !== 'R4' && release !== 'R5') throw new WrongWords('--fhir-version is R4 or R5');
  return command.run(files, { ...values, release });
}

function parseWords(): { values: Options; positionals: string[] } {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ...{ 'fhir-version': text, mode: text, 'system-columns': flag, table: text, location: text },
        ...{ out: text, output: text, threads: text, 'skip-errors': flag, progress: flag },
      },
    });
  } catch (error) {
    throw new WrongWords(error instanceof Error ? error.message : 'wrong words');
  }
}

async function check(path: string, release: FhirRelease): Promise<number> {
  const { problems, notes, fallbacks, view } = reportView(await readViewFile(path, release));
  for (const line of [...problems, ...fallbacks]) print(`${path}:${line}`);
  for (const note of notes) print(`${path}: note: ${note}`);
  if (view !== undefined) {
    const compiled = fallbacks.length === 0 ? 'all compiled' : `${fallbacks.length} expressions not compiled`;
    print(`${path}: view ${view.name} of ${view.resourceType}, ${view.columns.length} columns, no problems, ${compiled}`);
  }
  return problems.length > 0 ? 1 : 0;
}

async function columns(path: string, release: FhirRelease): Promise<number> {
  return withView(path, release, (view) => listColumns(view).forEach(print));
}

async function ddl(path: string, options: Chosen): Promise<number> {
  const mode = options.mode ?? (options.location === undefined ? 'managed-zerobus' : 'external-direct');
  if (!MODES.some((known) => known === mode)) throw new WrongWords(`--mode is one of ${MODES.join(', ')}`);
  if ((mode === 'external-direct') !== (options.location !== undefined))
    throw new WrongWords(
      `${mode} ${options.location === undefined ? 'needs --location' : 'makes a managed table, which has no --location'}`,
    );
  return withView(path, options.release, (view) => {
    const name = parseTableName(options.table ?? view.name);
    if (name === undefined) throw new WrongWords('--table is no name that Unity Catalog takes: catalog.schema.table');
    const table = [...tableColumnsForView(view), ...(options['system-columns'] === true ? systemColumns() : [])];
    if (mode === 'managed-zerobus') {
      checkZerobusNames(name, table);
      for (const note of zerobusTableNotes(table)) complain(`${path}: note: ${note}`);
    }
    process.stdout.write(makeCreateTable(name, table, options.location));
  });
}

/** Uses a view without problems; prints the problems of any other. */
async function withView(
  path: string,
  release: FhirRelease,
  use: (view: NonNullable<ReturnType<typeof reportView>['view']>) => void,
): Promise<number> {
  const { problems, notes, view } = reportView(await readViewFile(path, release));
  for (const problem of problems) complain(`${path}:${problem}`);
  for (const note of notes) complain(`${path}: note: ${note}`);
  if (view === undefined) return 1;
  use(view);
  return 0;
}

async function run(path: string, dataPath: string, options: Chosen): Promise<number> {
  const format = readFormat(options.out ?? 'table');
  const threads = Number(options.threads ?? '1');
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS)
    throw new WrongWords(`--threads is a number from 1 to ${MAX_THREADS}`);
  if (format === 'parquet' && options.output === undefined && process.stdout.isTTY)
    throw new WrongWords('parquet needs --output');
  const { viewDefinition } = await readViewFile(path, options.release);
  const sizeBytes = dataPath === '-' ? undefined : (await stat(dataPath).catch(() => undefined))?.size;
  const isTerminal = process.stderr.isTTY;
  const progress = makeProgress({
    write: (text) => void process.stderr.write(text),
    isTerminal,
    sizeBytes,
    nowMs: () => performance.now(),
  });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Interrupted()));
  const output = options.output === undefined ? openStandardOutput() : await openOutputFile(options.output);
  try {
    const totals = await runView({
      ...{ viewDefinition, dataPath, format, threads, output, signal: stop.signal },
      skipErrors: options['skip-errors'] === true,
      onProgress: isTerminal || options.progress === true ? progress.update : () => undefined,
    });
    await output.complete();
    progress.end();
    const others = totals.otherTypes === 0 ? '' : `, ${totals.otherTypes} of other types`;
    const bad = totals.badLines === 0 ? '' : `, ${totals.badLines} bad lines (the first: ${totals.firstBad ?? ''})`;
    complain(`${totals.resources} resources${others}, ${totals.rows} rows${bad}`);
    return 0;
  } catch (error) {
    progress.end();
    await output.discard();
    if (error instanceof ReaderGone) return 0;
    if (error instanceof Interrupted) return INTERRUPTED;
    throw error;
  }
}

class Interrupted extends Error {}

function readFormat(text: string): Format {
  const format = FORMATS.find((known) => known === text);
  if (format === undefined) throw new WrongWords(`--out is one of ${FORMATS.join(', ')}`);
  return format;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof WrongWords) {
    complain(`${error.message}\n${USAGE}`);
    process.exitCode = 2;
  } else if (error instanceof ViewFileInvalid) {
    complain(`${error.place.line}:${error.place.column} ${error.message}`);
  } else {
    complain(isAppError(error) ? `${error.code}: ${error.message}. ${error.action}` : `failed: ${describeCause(error)}`);
  }
}
