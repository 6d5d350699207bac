import type { Json } from '../lib/json.ts';
import { checkObjectPath, checkOrigin, checkRegion, checkTablePath, quote } from './parameter-checks.ts';

/** Values of `writeMode` (S0.17). */
export const WRITE_MODES = ['managed-zerobus', 'managed-sql', 'external-direct'] as const;
export type WriteMode = (typeof WRITE_MODES)[number];
export const DEFAULT_WRITE_MODE: WriteMode = 'managed-zerobus';

/** The four sets of rules: `external-direct` has different ones with Unity Catalog (databricksWorkspaceUrl given) and without. */
export type Variant = 'zerobus' | 'sql' | 'unity' | 'direct';

/** Parameter values by name, as far as they were well-formed. Secrets given by reference hold the text `(reference)`. */
export type Given = Readonly<Record<string, string | number | boolean>>;

export type Presence =
  | 'required'
  | 'optional'
  /** Required when it returns a reason; the reason ends the sentence "… is required". */
  | { readonly requiredWhen: (given: Given) => string | undefined }
  /** Accepted without effect, with a warning, and why: the profile knows the parameter (contract §4.1) but it means nothing here. */
  | { readonly ignored: string }
  /** A contradiction, and why; what to do follows from it. */
  | { readonly forbidden: string };

export interface ParameterRule {
  readonly name: string;
  /** Suffix of `value[x]` as FHIR spells it. */
  readonly type: 'string' | 'unsignedInt' | 'boolean';
  /** One line for docs/configuration and the profile. */
  readonly meaning: string;
  /** `secret`: never shown again. Both kinds may be given as a vault reference. */
  readonly credential?: 'secret' | 'identifier';
  readonly presence: Readonly<Record<Variant, Presence>>;
  /** Inclusive bounds of an unsignedInt. */
  readonly bounds?: { readonly min: number; readonly max: number };
  /** What is wrong with a well-typed value: "found …, expected …"; undefined when it is good. Never called with a secret's value unless `credential`. */
  readonly check?: (value: string, given: Given) => string | undefined;
}

const everywhere = (presence: Presence): Record<Variant, Presence> => ({
  zerobus: presence,
  sql: presence,
  unity: presence,
  direct: presence,
});
const NEEDS_WORKSPACE = 'it has a meaning only together with databricksWorkspaceUrl, which is absent';
const VENDED = 'Unity Catalog vends the storage credentials in this mode';
const LOCATED = 'Unity Catalog knows the location of the table in this mode';
const notSkipped = (given: Given): string | undefined =>
  given['skipInitialExport'] === true ? undefined : 'unless skipInitialExport is true';
const isS3 = (given: Given): boolean => String(given['tablePath'] ?? '').startsWith('s3://');

/** Every parameter of kind data-lakehouse-at-least-once: S0's tables, the profile of current Aidbox releases, and `createTable`, which is ours. */
export const PARAMETER_RULES: readonly ParameterRule[] = [
  {
    name: 'viewDefinition',
    type: 'string',
    meaning: 'name (not id) of the ViewDefinition that flattens the resources',
    presence: everywhere('required'),
    check: (value) => (value.length <= 255 ? undefined : `found ${value.length} characters, expected at most 255`),
  },
  {
    name: 'batchSize',
    type: 'unsignedInt',
    meaning: 'most events of one commit',
    presence: everywhere('required'),
    bounds: { min: 1, max: 100_000 },
  },
  {
    name: 'sendIntervalMs',
    type: 'unsignedInt',
    meaning: 'longest time between commits, in milliseconds',
    presence: everywhere('required'),
    bounds: { min: 10, max: 3_600_000 },
  },
  {
    name: 'writeMode',
    type: 'string',
    meaning: `${WRITE_MODES.join(', ')}; default ${DEFAULT_WRITE_MODE}`,
    presence: everywhere('optional'),
    check: checkWriteMode,
  },
  {
    name: 'databricksWorkspaceUrl',
    type: 'string',
    meaning: 'https://<workspace>; in external-direct it switches to credentials vended by Unity Catalog',
    presence: { zerobus: 'required', sql: 'required', unity: 'optional', direct: 'optional' },
    check: (value) => checkOrigin(value, ['https:']),
  },
  {
    name: 'databricksWorkspaceId',
    type: 'string',
    meaning: 'numeric workspace id, part of the Zerobus host',
    presence: { zerobus: 'required', sql: 'optional', unity: 'optional', direct: { ignored: NEEDS_WORKSPACE } },
    check: (value) =>
      /^\d{1,20}$/.test(value) ? undefined : `found ${quote(value)}, expected the number of the workspace (digits only)`,
  },
  {
    name: 'databricksRegion',
    type: 'string',
    meaning: 'region of the workspace, part of the Zerobus host',
    presence: { zerobus: 'required', sql: 'optional', unity: 'optional', direct: { ignored: NEEDS_WORKSPACE } },
    check: checkRegion,
  },
  {
    name: 'databricksClientId',
    type: 'string',
    meaning: 'client id of the service principal',
    credential: 'identifier',
    presence: { zerobus: 'required', sql: 'required', unity: 'required', direct: { ignored: NEEDS_WORKSPACE } },
  },
  {
    name: 'databricksClientSecret',
    type: 'string',
    meaning: 'client secret of the service principal',
    credential: 'secret',
    presence: { zerobus: 'required', sql: 'required', unity: 'required', direct: { ignored: NEEDS_WORKSPACE } },
  },
  {
    name: 'tableName',
    type: 'string',
    meaning: 'catalog.schema.table in Unity Catalog',
    presence: {
      zerobus: 'required',
      sql: 'required',
      unity: 'required',
      direct: { ignored: `${NEEDS_WORKSPACE}; a table on plain storage is named by tablePath` },
    },
    check: (value) =>
      /^[^.\s/`"]+\.[^.\s/`"]+\.[^.\s/`"]+$/.test(value)
        ? undefined
        : `found ${quote(value)}, expected three names joined by dots: catalog.schema.table`,
  },
  {
    name: 'databricksWarehouseId',
    type: 'string',
    meaning: 'SQL warehouse for schema changes and, in managed-sql, for each batch',
    presence: { zerobus: 'required', sql: 'required', unity: 'optional', direct: { ignored: NEEDS_WORKSPACE } },
    check: (value) =>
      /^[A-Za-z0-9_-]{1,64}$/.test(value)
        ? undefined
        : `found ${quote(value)}, expected the id of a SQL warehouse (letters and digits)`,
  },
  {
    name: 'awsRegion',
    type: 'string',
    meaning: 'region of the bucket',
    presence: {
      zerobus: { requiredWhen: notSkipped },
      sql: { requiredWhen: notSkipped },
      unity: 'required',
      direct: {
        requiredWhen: (given) =>
          isS3(given) && given['s3Endpoint'] === undefined
            ? 'for a bucket of AWS; leave it out only together with s3Endpoint'
            : undefined,
      },
    },
    check: checkRegion,
  },
  {
    name: 'stagingTablePath',
    type: 'string',
    meaning: 'place of the temporary table of the initial export, below an external location',
    presence: {
      zerobus: { requiredWhen: notSkipped },
      sql: { requiredWhen: notSkipped },
      unity: { ignored: 'external-direct writes its table directly and stages nothing' },
      direct: { ignored: 'external-direct writes its table directly and stages nothing' },
    },
    check: (value) => checkObjectPath(value, ['s3', 'gs', 'abfss'], 'a prefix below the external location, not its root'),
  },
  {
    name: 'skipInitialExport',
    type: 'boolean',
    meaning: 'true: only changes from now on; default false',
    presence: everywhere('optional'),
  },
  {
    name: 'targetFileSizeMb',
    type: 'unsignedInt',
    meaning: 'size aimed at for a Parquet file of the initial export, in MiB; default 128',
    presence: everywhere('optional'),
    bounds: { min: 1, max: 4_096 },
  },
  {
    name: 'initialExportChunkCount',
    type: 'unsignedInt',
    meaning: 'parts of the initial export that run in parallel; default 1',
    presence: everywhere('optional'),
    bounds: { min: 1, max: 1_024 },
  },
  {
    name: 'tablePath',
    type: 'string',
    meaning: 'address of the Delta table: s3://bucket/path or file:///path',
    presence: { zerobus: { ignored: LOCATED }, sql: { ignored: LOCATED }, unity: { ignored: LOCATED }, direct: 'required' },
    check: checkTablePath,
  },
  {
    name: 'awsAccessKeyId',
    type: 'string',
    meaning: 'static access key; without it the AWS default chain is used',
    credential: 'secret',
    presence: {
      zerobus: { ignored: VENDED },
      sql: { ignored: VENDED },
      unity: { ignored: VENDED },
      direct: { requiredWhen: pairOf('awsSecretAccessKey') },
    },
    check: (value) =>
      /^\S{1,256}$/.test(value)
        ? undefined
        : `found a value of ${value.length} characters with blanks or too long, expected an access key id`,
  },
  {
    name: 'awsSecretAccessKey',
    type: 'string',
    meaning: 'secret of awsAccessKeyId',
    credential: 'secret',
    presence: {
      zerobus: { ignored: VENDED },
      sql: { ignored: VENDED },
      unity: { ignored: VENDED },
      direct: { requiredWhen: pairOf('awsAccessKeyId') },
    },
    check: (value) =>
      /^\S{1,1024}$/.test(value)
        ? undefined
        : `found a value of ${value.length} characters with blanks or too long, expected a secret key`,
  },
  {
    name: 's3Endpoint',
    type: 'string',
    meaning: 'http(s)://host:port of an S3-compatible store; requests become path-style',
    presence: { zerobus: { ignored: VENDED }, sql: { ignored: VENDED }, unity: { ignored: VENDED }, direct: 'optional' },
    check: (value, given) =>
      checkOrigin(value, ['http:', 'https:']) ??
      (given['tablePath'] === undefined || isS3(given)
        ? undefined
        : 'found it beside a tablePath that is not s3://, expected it for S3 only'),
  },
  {
    name: 'createTable',
    type: 'boolean',
    meaning: 'true: make the table from the view if the path holds none; default false (an addition of this product)',
    presence: {
      zerobus: { forbidden: 'managed tables are made in Databricks' },
      sql: { forbidden: 'managed tables are made in Databricks' },
      unity: { forbidden: 'tables of Unity Catalog are made in Databricks' },
      direct: 'optional',
    },
  },
];

/** The rules that apply to a resource with these values; an unknown writeMode counts as the default one. */
export function variantOf(given: Given): Variant {
  if (given['writeMode'] === 'external-direct') return given['databricksWorkspaceUrl'] === undefined ? 'direct' : 'unity';
  return given['writeMode'] === 'managed-sql' ? 'sql' : 'zerobus';
}

/** Where `value` of a rule stands in a FHIR parameter: `valueString`, `valueUnsignedInt`, `valueBoolean`. */
export function valueKey(rule: Pick<ParameterRule, 'type'>): string {
  return `value${rule.type[0]!.toUpperCase()}${rule.type.slice(1)}`;
}

/** Members of a parameter that carry a value: `valueString`, `_valueString`, … */
export function valueKeysOf(parameter: Json): readonly string[] {
  return Object.keys(parameter).filter((key) => /^_?value/.test(key));
}

function checkWriteMode(value: string): string | undefined {
  if ((WRITE_MODES as readonly string[]).includes(value)) return undefined;
  const hint = value === 'managed' ? ' ("managed" is not a mode by itself: choose one of the two managed ones)' : '';
  return `found ${quote(value)}, expected one of ${WRITE_MODES.join(', ')}${hint}`;
}

function pairOf(other: string): (given: Given) => string | undefined {
  return (given) => (given[other] === undefined ? undefined : `beside ${other}: the two are a pair`);
}
