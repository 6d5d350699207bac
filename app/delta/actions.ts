import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import { parseExactJson, toLong, type Long } from './exact-json.ts';

/** Actions of the Delta log; the field names are the protocol's. Fields that we do not know are kept. */
export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[] | undefined;
  readonly writerFeatures?: readonly string[] | undefined;
}

export interface MetaData {
  readonly id: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly format: { readonly provider: string; readonly options?: Readonly<Record<string, string>> | undefined };
  /** Absent in some very old logs: a table without columns. */
  readonly schemaString?: string | undefined;
  readonly partitionColumns: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly createdTime?: Long | undefined;
}

export interface AddFile {
  /** As it stands in the log: a URI, relative to the table. */
  readonly path: string;
  readonly partitionValues: Readonly<Record<string, string | null>>;
  readonly size: Long;
  readonly modificationTime: Long;
  readonly dataChange: boolean;
  /** JSON text, carried verbatim. */
  readonly stats?: string | undefined;
}

export interface RemoveFile {
  readonly path: string;
}

export interface SetTransaction {
  readonly appId: string;
  readonly version: Long;
  readonly lastUpdated?: Long | undefined;
}

export interface DomainMetadata {
  readonly domain: string;
  readonly configuration: string;
  readonly removed: boolean;
}

export interface CommitInfo {
  readonly timestamp?: Long | undefined;
  readonly inCommitTimestamp?: Long | undefined;
  readonly [field: string]: unknown;
}

/** One line of a commit: exactly one of the fields. */
export type Action =
  | { readonly commitInfo: CommitInfo }
  | { readonly protocol: Protocol }
  | { readonly metaData: MetaData }
  | { readonly add: AddFile }
  | { readonly remove: RemoveFile }
  | { readonly txn: SetTransaction }
  | { readonly domainMetadata: DomainMetadata };

const long = z.union([z.number(), z.bigint()]).transform(toLong);
const stringMap = z.record(z.string(), z.string());

/** A field that some writers spell `null` when it is absent. */
function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const ACTION_SCHEMAS = {
  commitInfo: z.looseObject({ timestamp: optional(long), inCommitTimestamp: optional(long) }),
  protocol: z.looseObject({
    minReaderVersion: z.number().int(),
    minWriterVersion: z.number().int(),
    readerFeatures: optional(z.array(z.string())),
    writerFeatures: optional(z.array(z.string())),
  }),
  metaData: z.looseObject({
    id: z.string(),
    name: optional(z.string()),
    description: optional(z.string()),
    format: z.looseObject({ provider: z.string(), options: optional(stringMap) }),
    schemaString: optional(z.string()),
    partitionColumns: z
      .array(z.string())
      .nullish()
      .transform((names) => names ?? []),
    configuration: stringMap.nullish().transform((map) => map ?? {}),
    createdTime: optional(long),
  }),
  add: z.looseObject({
    path: z.string(),
    partitionValues: z
      .record(z.string(), z.string().nullable())
      .nullish()
      .transform((map) => map ?? {}),
    size: long,
    modificationTime: long,
    dataChange: z.boolean(),
    stats: optional(z.string()),
  }),
  remove: z.looseObject({ path: z.string() }),
  txn: z.looseObject({ appId: z.string(), version: long, lastUpdated: optional(long) }),
  domainMetadata: z.looseObject({ domain: z.string(), configuration: z.string(), removed: z.boolean() }),
} as const;

type ActionName = keyof typeof ACTION_SCHEMAS;
const ACTION_NAMES = Object.keys(ACTION_SCHEMAS) as ActionName[];

/**
 * Own field of `commitInfo`: how many lines the file has. A commit of ours that was cut at the end of a line is seen by it;
 * for other writers' commits the protocol gives no such sign.
 */
export const ACTION_COUNT_FIELD = 'lakehouseActionCount';

/** Where a text of the log stands, for messages. */
export interface LogPlace {
  readonly version: number;
  readonly path: string;
}

/** The error for a damaged log: `found` says what is wrong in `place`, without quoting it. */
export function logBroken(place: LogPlace, found: string, cause?: unknown): AppError {
  return new AppError('DELTA_LOG_BROKEN', `${place.path}: ${found}`, {
    facts: { version: place.version, path: place.path },
    cause,
  });
}

/**
 * The actions of one commit or of one JSON checkpoint (NDJSON), in file order. Unknown actions are left out.
 *
 * @throws AppError DELTA_LOG_BROKEN when the file is empty, half-written, or an action lacks a field that the protocol demands
 */
export function parseActions(body: Uint8Array, place: LogPlace): Action[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw logBroken(place, `the file of ${body.length} bytes is not UTF-8 text`, error);
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw logBroken(place, `the file of ${body.length} bytes holds no action`);
  const actions = lines.flatMap((line, index) => parseLine(line, { ...place, line: index + 1, lines: lines.length }));
  checkActionCount(actions, lines.length, place);
  return actions;
}

function parseLine(line: string, place: LogPlace & { readonly line: number; readonly lines: number }): Action[] {
  let value: unknown;
  try {
    value = parseExactJson(line);
  } catch (error) {
    throw logBroken(place, `line ${place.line} of ${place.lines} is not complete JSON`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw logBroken(place, `line ${place.line} of ${place.lines} is not a JSON object`);
  }
  return parseActionObject(value as Record<string, unknown>, place, `line ${place.line} of ${place.lines}`);
}

/**
 * The known actions of one object, which may come from a line or from a row of a checkpoint.
 *
 * @throws AppError DELTA_LOG_BROKEN naming the field that is missing or of the wrong kind
 */
export function parseActionObject(value: Readonly<Record<string, unknown>>, place: LogPlace, where: string): Action[] {
  const actions: Action[] = [];
  for (const name of ACTION_NAMES) {
    if (value[name] === undefined || value[name] === null) continue;
    const parsed = ACTION_SCHEMAS[name].safeParse(value[name]);
    if (!parsed.success) {
      const fields = parsed.error.issues.map((issue) => [name, ...issue.path.map(String)].join('.'));
      throw logBroken(place, `${where} has missing or wrong fields: ${[...new Set(fields)].join(', ')}`);
    }
    actions.push({ [name]: parsed.data } as unknown as Action);
  }
  return actions;
}

function checkActionCount(actions: readonly Action[], lineCount: number, place: LogPlace): void {
  for (const action of actions) {
    const expected = 'commitInfo' in action ? action.commitInfo[ACTION_COUNT_FIELD] : undefined;
    if (typeof expected === 'number' && expected !== lineCount) {
      throw logBroken(place, `the file has ${lineCount} lines, but says that it was written with ${expected}`);
    }
  }
}

/**
 * The bytes of a commit file, one action per line.
 *
 * @throws AppError INTERNAL for an integer that JSON readers would round
 */
export function serializeActions(actions: readonly Action[]): Uint8Array {
  const lines = actions.map((action) => `${JSON.stringify(action, checkNumber)}\n`);
  return new TextEncoder().encode(lines.join(''));
}

function checkNumber(key: string, value: unknown): unknown {
  const isExact =
    typeof value === 'number'
      ? Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
      : typeof value !== 'bigint';
  if (!isExact) throw new AppError('INTERNAL', `field ${key} of a commit holds a number that JSON cannot carry exactly`);
  return value;
}

/** `commitInfo` first, then the other actions, with the count that `parseActions` checks. */
export function withCommitInfo(commitInfo: CommitInfo, others: readonly Action[]): Action[] {
  return [{ commitInfo: { ...commitInfo, [ACTION_COUNT_FIELD]: others.length + 1 } }, ...others];
}
