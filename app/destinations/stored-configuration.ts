import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import { asArray, asObject, omit, type Json } from '../lib/json.ts';
import { configurationId, targetKindOf, type Destination, type DestinationTarget } from './destination.ts';
import { WRITE_MODES } from './parameter-rule.ts';

export const CONFIGURATION_SYSTEM = 'urn:aidbox-data-lakehouse:resource';
export const CONFIGURATION_CODE = 'destination';
const EXTENSION_URL = 'urn:aidbox-data-lakehouse:destination-configuration';

/** Raised when a release writes something that an older one must not run. Unknown members of a known format are ignored. */
const FORMAT = 2;
/** What is written for tables on a path, so that the release before reads it too. */
const PATH_FORMAT = 1;

const Secret = z.union([
  z.object({ kind: z.literal('sealed'), sealed: z.string() }),
  z.object({ kind: z.literal('reference'), name: z.string() }),
]);
const JsonObject = z.record(z.string(), z.unknown());

const Stored = z.object({
  format: z.union([z.literal(PATH_FORMAT), z.literal(FORMAT)]),
  id: z.string().min(1),
  incarnation: z.string().min(1),
  installation: z.string(),
  topic: z.string(),
  viewName: z.string(),
  viewDefinition: JsonObject,
  writeMode: z.enum(WRITE_MODES),
  batchSize: z.number().int().positive(),
  sendIntervalMs: z.number().int().positive(),
  targetFileSizeMb: z.number().int().positive().default(128),
  initialExportChunkCount: z.number().int().positive().default(1),
  table: z.object({ tablePath: z.string(), awsRegion: z.string().optional(), s3Endpoint: z.string().optional() }).optional(),
  databricks: z
    .object({
      workspaceUrl: z.string(),
      tableName: z.string(),
      warehouseId: z.string(),
      workspaceId: z.string().optional(),
      region: z.string().optional(),
      zerobusEndpoint: z.string().optional(),
      clientId: z.string().optional(),
    })
    .optional(),
  secrets: z.record(z.string(), Secret).default({}),
  createTable: z.boolean().default(false),
  skipInitialExport: z.boolean(),
  webhookSecretHash: z.string(),
  warnings: z.array(z.string()).default([]),
  createdAtMs: z.number(),
  phase: z.enum(['creating', 'active', 'deleting']),
  resource: JsonObject,
});

/** A destination as far as it is stored: without secrets in clear, and without what is found on reading. */
export type StoredConfiguration = Omit<z.infer<typeof Stored>, 'format' | 'table' | 'databricks'> & {
  readonly target: DestinationTarget;
};

/** The FHIR Basic resource that holds a destination. Secrets in it are sealed or references. */
export function toBasic(destination: Destination): Json {
  const rest = omit(destination, 'problem', 'storedVersion', 'target');
  return {
    resourceType: 'Basic',
    id: configurationId(destination.id),
    code: { coding: [{ system: CONFIGURATION_SYSTEM, code: CONFIGURATION_CODE }] },
    extension: [{ url: EXTENSION_URL, valueString: JSON.stringify({ ...rest, ...storeTarget(destination) }) }],
  };
}

/** True for a Basic resource that is one of ours, whatever state it is in. */
export function isConfiguration(basic: Json | undefined): boolean {
  const codings = asArray(asObject(basic?.['code'])?.['coding']).map(asObject);
  return (
    basic?.['resourceType'] === 'Basic' &&
    codings.some((coding) => coding?.['system'] === CONFIGURATION_SYSTEM && coding['code'] === CONFIGURATION_CODE)
  );
}

/** @throws AppError DESTINATION_UNREADABLE naming the Basic resource and what is wrong with its form */
export function fromBasic(basic: Json): StoredConfiguration {
  const where = `Basic/${String(basic['id'])}`;
  const extension = asArray(basic['extension'])
    .map(asObject)
    .find((each) => each?.['url'] === EXTENSION_URL);
  // With BOX_FHIR_CORRECT_AIDBOX_FORMAT and similar settings the value may come back in Aidbox's own spelling.
  const text = extension?.['valueString'] ?? asObject(extension?.['value'])?.['string'];
  let content: unknown;
  try {
    content = JSON.parse(String(text));
  } catch (cause) {
    throw new AppError('DESTINATION_UNREADABLE', `the configuration in ${where} is not JSON`, { cause });
  }
  const format = asObject(content)?.['format'];
  if (typeof format === 'number' && format > FORMAT) {
    throw new AppError(
      'DESTINATION_UNREADABLE',
      `the configuration in ${where} has format ${format}; this release reads up to ${FORMAT}`,
    );
  }
  const result = Stored.safeParse(content);
  if (!result.success) {
    const places = result.error.issues.map((issue) => issue.path.join('.') || 'the whole').join(', ');
    throw new AppError('DESTINATION_UNREADABLE', `the configuration in ${where} is damaged at: ${places}`);
  }
  const { table, databricks } = result.data;
  const stored = omit(result.data, 'format', 'table', 'databricks');
  if (targetKindOf(stored.writeMode) === 'path' && table !== undefined)
    return { ...stored, target: { kind: 'path', location: table } };
  if (targetKindOf(stored.writeMode) === 'databricks' && databricks !== undefined)
    return { ...stored, target: { kind: 'databricks', table: databricks } };
  throw new AppError('DESTINATION_UNREADABLE', `the configuration in ${where} names no table for writeMode ${stored.writeMode}`);
}

/** The target without its secrets; a client id that came as a reference is one of them. */
function storeTarget({ target, secrets }: Destination): Json {
  if (target.kind === 'path') return { format: PATH_FORMAT, table: omit(target.location, 'accessKeyId', 'secretAccessKey') };
  const databricks = omit(target.table, 'clientSecret', 'accessToken');
  const isReference = secrets['databricksClientId'] !== undefined;
  return { format: FORMAT, databricks: isReference ? omit(databricks, 'clientId') : databricks };
}
