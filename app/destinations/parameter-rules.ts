import { DATABRICKS_RULES } from './databricks-rules.ts';
import { checkObjectPath, checkOrigin, checkRegion, checkTablePath, quote } from './parameter-checks.ts';
import {
  DEFAULT_WRITE_MODE,
  WRITE_MODES,
  type Given,
  type ParameterRule,
  type Presence,
  type Variant,
} from './parameter-rule.ts';

const everywhere = (presence: Presence): Record<Variant, Presence> => ({
  zerobus: presence,
  sql: presence,
  unity: presence,
  direct: presence,
});
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
  ...DATABRICKS_RULES,
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

function checkWriteMode(value: string): string | undefined {
  if ((WRITE_MODES as readonly string[]).includes(value)) return undefined;
  const hint = value === 'managed' ? ' ("managed" is not a mode by itself: choose one of the two managed ones)' : '';
  return `found ${quote(value)}, expected one of ${WRITE_MODES.join(', ')}${hint}`;
}

function pairOf(other: string): (given: Given) => string | undefined {
  return (given) => (given[other] === undefined ? undefined : `beside ${other}: the two are a pair`);
}
