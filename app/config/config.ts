import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';

const MiB = 1024 * 1024;
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Every variable the program reads: its form, its default, and one line for docs/configuration.md. */
export const SETTINGS = {
  ROLE: z
    .enum(['all', 'web', 'worker'])
    .default('all')
    .describe('What this process does: `web` takes notifications and operations, `worker` writes tables, `all` does both.'),
  HOST: z.string().default('0.0.0.0').describe('Address to listen on.'),
  PORT: count(0, 65_535).default(8080).describe('Port to listen on; 0 takes a free one.'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where Aidbox reaches this service; default `http://localhost:PORT`.'),
  AIDBOX_URL: z.url({ protocol: /^https?$/ }).describe('Base URL of Aidbox.'),
  AIDBOX_CLIENT_ID: z.string().min(1).describe('Client that this service uses in Aidbox (`manifests/client.json`).'),
  AIDBOX_CLIENT_SECRET: z.string().min(1).describe('Secret of that client.'),
  AIDBOX_TIMEOUT_MS: count(100, 600_000).default(30_000).describe('Longest wait for an answer of Aidbox.'),
  AIDBOX_CREATED_AT_URL: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Extension in which Aidbox shows creation times (its BOX_FHIR_CREATEDAT_URL). Without it every url that Aidbox documents is looked at.',
    ),
  FHIR_VERSION: z
    .enum(['R4', 'R5'])
    .default('R4')
    .describe('Release of FHIR for views that name none in `fhirVersion`; of destinations that are created from then on.'),
  APP_ID: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots or dashes')
    .default('data-lakehouse')
    .describe('Id of the `App` resource.'),
  APP_SECRET: z.string().min(16).describe('Secret with which Aidbox calls this service; at least 16 characters.'),
  DATABRICKS_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Client id of the service principal for destinations in Databricks that name none.'),
  DATABRICKS_CLIENT_SECRET: z.string().min(1).optional().describe('Its secret.'),
  DATABRICKS_WORKSPACE_URLS: z
    .string()
    .transform((text) => text.split(',').map((url) => url.trim()))
    .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin)))
    .optional()
    .describe('Workspaces, separated by commas, that may get that principal; without it no other host ever sees its secret.'),
  CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM file with authorities that are trusted for Databricks beside the usual ones and those of NODE_EXTRA_CA_CERTS, for example that of a proxy.',
    ),
  VIEW_REFRESH_MS: count(100, 3_600_000)
    .default(10_000)
    .describe(
      'How often a destination in Databricks looks whether its ViewDefinition changed in Aidbox; columns that it gained are then added to the table.',
    ),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('Queue store on Redis. Without it and DATABASE_URL an embedded PostgreSQL is used.'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('Queue store on PostgreSQL.'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('./data')
    .describe('Folder for the embedded queue store, the spool, a generated key, and local tables.'),
  LOCAL_TABLES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('The only folder below which `file://` tables may lie; default `DATA_DIR/tables`.'),
  SEAL_KEY: z
    .string()
    .regex(
      /^[A-Za-z0-9+/]{43}=(,[A-Za-z0-9+/]{43}=)*$/,
      'must be 32 bytes in base64 (openssl rand -base64 32), several separated by commas',
    )
    .optional()
    .describe(
      'Keys that seal secrets, queued notifications and quarantine; the first seals, all open. Default: one generated in `DATA_DIR/seal.key`; replicas must share it.',
    ),
  SECRETS_DIR: z.string().min(1).optional().describe('Folder of mounted secret files that secret references name.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least severe level that is logged.'),
  QUEUE_ALLOW_WEAK_DURABILITY: flag
    .default(false)
    .describe('`true` accepts a queue store that may lose accepted events in a crash, or whose settings cannot be read.'),
  QUEUE_MAX_JOBS: count(1, 10_000_000)
    .default(100_000)
    .describe('Waiting notifications per destination; above it Aidbox gets 503 and keeps its events.'),
  QUEUE_MAX_BYTES: count(MiB, 1024 * 1024 * MiB)
    .default(2048 * MiB)
    .describe('Their size in bytes, likewise.'),
  MAX_NOTIFICATION_BYTES: count(1024, 512 * MiB)
    .default(32 * MiB)
    .describe('Largest notification that is processed; a larger one is spooled to disk and quarantined.'),
  FLATTEN_TIMEOUT_MS: count(100, 600_000)
    .default(10_000)
    .describe('How long a thread may work at one large or slow resource before its event goes to quarantine.'),
  QUARANTINE_MAX_ENTRIES: count(1, 10_000_000)
    .default(10_000)
    .describe('Quarantined events per destination; when full, delivery waits.'),
  LEASE_MS: count(500, 600_000).default(15_000).describe('How long a destination stays with a worker that does not answer.'),
  REFRESH_MS: count(50, 600_000).default(5_000).describe('How often destinations are read anew from Aidbox.'),
  SHUTDOWN_GRACE_MS: count(0, 600_000).default(20_000).describe('How long a stop may take before the process ends by force.'),
} as const;

const Environment = z
  .object(SETTINGS)
  .refine((env) => !(env.REDIS_URL !== undefined && env.DATABASE_URL !== undefined), {
    path: ['DATABASE_URL'],
    message: 'is set together with REDIS_URL: choose one queue store',
  })
  .refine((env) => (env.DATABRICKS_CLIENT_ID === undefined) === (env.DATABRICKS_CLIENT_SECRET === undefined), {
    path: ['DATABRICKS_CLIENT_SECRET'],
    message: 'is a pair with DATABRICKS_CLIENT_ID: set both or none',
  })
  .refine((env) => env.DATABRICKS_CLIENT_ID === undefined || env.DATABRICKS_WORKSPACE_URLS !== undefined, {
    path: ['DATABRICKS_WORKSPACE_URLS'],
    message: 'is needed beside DATABRICKS_CLIENT_ID: the workspaces that this principal is for',
  });

export type Config = Readonly<z.infer<typeof Environment>>;

/**
 * The configuration of one process, read once.
 * @throws AppError CONFIG_INVALID listing every problem by variable; never a value
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.keys(SETTINGS).flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]])),
  );
  const result = Environment.safeParse(given);
  if (result.success) return Object.freeze(result.data);
  const problems = result.error.issues.map(
    (issue) =>
      `${issue.path.join('.')} ${given[String(issue.path[0])] === undefined && issue.code === 'invalid_type' ? 'is not set' : `is not valid: ${issue.message}`}`,
  );
  throw new AppError(
    'CONFIG_INVALID',
    `${problems.length} problem${problems.length === 1 ? '' : 's'} in the environment: ${problems.join('; ')}`,
  );
}
