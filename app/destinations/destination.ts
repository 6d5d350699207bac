import { createHash } from 'node:crypto';
import type { ErrorCode } from '../errors/catalogue.ts';
import type { Json } from '../lib/json.ts';
import type { DatabricksTable } from '../databricks/databricks-table.ts';
import type { TableLocation } from '../storage/table-location.ts';
import type { WriteMode } from './parameter-rule.ts';

/** The kind of destination that this product serves, and the canonical identifier of its profile (never fetched, S0.6). */
export const DESTINATION_KIND = 'data-lakehouse-at-least-once';
export const DESTINATION_PROFILE =
  'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-dataLakehouseAtLeastOnceProfile';

/** A secret as it is kept: sealed with the app's key (base64), or the name of a mounted file. Never in clear. */
export type StoredSecret =
  { readonly kind: 'sealed'; readonly sealed: string } | { readonly kind: 'reference'; readonly name: string };

/** Where the rows go: `path` is written by ourselves, `databricks` by Zerobus or a SQL warehouse. */
export type DestinationTarget =
  { readonly kind: 'path'; readonly location: TableLocation } | { readonly kind: 'databricks'; readonly table: DatabricksTable };

/** Parameters that hold the secrets of a target, and its members. */
export const TARGET_SECRETS: Readonly<Record<DestinationTarget['kind'], Readonly<Record<string, string>>>> = {
  path: { awsAccessKeyId: 'accessKeyId', awsSecretAccessKey: 'secretAccessKey' },
  databricks: {
    databricksClientId: 'clientId',
    databricksClientSecret: 'clientSecret',
    databricksAccessToken: 'accessToken',
  },
};

export function targetKindOf(writeMode: WriteMode): DestinationTarget['kind'] {
  return writeMode === 'external-direct' ? 'path' : 'databricks';
}

/** Address of a table for people: its path or its name. */
export function describeTarget(target: DestinationTarget): string {
  return target.kind === 'path' ? target.location.tablePath : target.table.tableName;
}

/** `creating`: not announced to the user yet. `deleting`: on its way out; nothing is delivered any more. */
export type DestinationPhase = 'creating' | 'active' | 'deleting';

/** One destination of our kind, as configured at its create; it never changes but in `phase` and `webhookSecretHash`. */
export interface Destination {
  readonly id: string;
  /** New with each create: `<base36 of epoch ms>-<8 hex digits>`. */
  readonly incarnation: string;
  /** Base URL of the Aidbox it was made for (design E8). */
  readonly installation: string;
  /** Url of its AidboxSubscriptionTopic. */
  readonly topic: string;
  readonly viewName: string;
  /** The ViewDefinition as it was at create. */
  readonly viewDefinition: Json;
  readonly writeMode: WriteMode;
  /** Most events of one commit. */
  readonly batchSize: number;
  /** Longest time between commits, milliseconds. */
  readonly sendIntervalMs: number;
  readonly targetFileSizeMb: number;
  readonly initialExportChunkCount: number;
  /** With its secrets resolved; without them when `problem` is set. */
  readonly target: DestinationTarget;
  /** The secrets of `target` as they are kept, by parameter name. */
  readonly secrets: Readonly<Record<string, StoredSecret>>;
  readonly createTable: boolean;
  readonly skipInitialExport: boolean;
  /** `hashSecret` of the bearer token that Aidbox sends with each notification. */
  readonly webhookSecretHash: string;
  /** Shown in `$status`. */
  readonly warnings: readonly string[];
  /** Epoch milliseconds by our clock. */
  readonly createdAtMs: number;
  readonly phase: DestinationPhase;
  /** What read and search return: the user's resource, secrets masked, with `meta` of its creation. */
  readonly resource: Json;
  /** Why it must not run: another installation (DESTINATION_SUSPENDED), or a secret that cannot be had. Found on reading, not stored. */
  readonly problem: DestinationProblem | undefined;
  /** Version of the stored configuration, for compare-and-set. Not stored. */
  readonly storedVersion: string | undefined;
}

export interface DestinationProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Name of the destination's queue, lease and quarantine: `[A-Za-z0-9._-]` only, new with each create. */
export function scopeOf(destination: Pick<Destination, 'id' | 'incarnation'>): string {
  return `${destination.id}.${destination.incarnation}`;
}

/** Path of the endpoint that Aidbox posts notifications to. */
export function webhookPath(destination: Pick<Destination, 'id' | 'incarnation'>): string {
  return `/webhooks/${destination.id}/${destination.incarnation}`;
}

/** True while events may be accepted and delivered. */
export function isRunnable(destination: Destination): boolean {
  return destination.phase === 'active' && destination.problem === undefined;
}

export function makeIncarnation(nowMs: number, randomHex: string): string {
  return `${nowMs.toString(36)}-${randomHex.slice(0, 8)}`;
}

/** Two spellings of one address are one installation: scheme and host in lower case, default port and trailing slashes dropped. */
export function normaliseInstallation(baseUrl: string): string {
  const url = new URL(baseUrl);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Id of the Basic resource that holds the configuration of the destination `id`. */
export function configurationId(id: string): string {
  return `lakehouse-${createHash('sha256').update(id, 'utf8').digest('hex').slice(0, 40)}`;
}
