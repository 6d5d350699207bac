import type { Registry } from './registry/registry.ts';
import type { Engine } from './warehouse/engine.ts';
import type { WarehouseSwitches } from './warehouse/options.ts';
import type { Certificate } from './tls/certificate.ts';

/** How to start the stand-in. Everything has a default. */
export interface DatabricksLabOptions {
  /** Ports on 127.0.0.1; 0 (default) takes a free one. Workspace (tokens, Unity Catalog, warehouse state) and Zerobus are different hosts, so different ports. */
  readonly workspacePort?: number;
  readonly zerobusPort?: number;
  /** HTTPS with a certificate made at start, or with this one. Default: HTTP. */
  readonly tls?: boolean | Certificate;
  /** Number of the workspace, as in `?o=` of its address and in Zerobus' `resource`. Default 1234567890123456. */
  readonly workspaceId?: string;
  /** Where the files of tables are made. Default: a new temporary folder, which `close()` removes. */
  readonly dataFolder?: string;
  /** Lifetime of OAuth tokens, ms. Default 3600000. */
  readonly tokenLifetimeMs?: number;
  /** What is vended for object stores. */
  readonly vending?: Vending;
  /** `delta` (default): rows land in the tables' files. `count`: they are checked and counted only. */
  readonly sink?: 'delta' | 'count';
  /** Entries that the journal keeps; counters know all. Default 100000. */
  readonly journalEntries?: number;
  readonly switches?: Partial<LabSwitches>;
  readonly warehouseSwitches?: Partial<WarehouseSwitches>;
  /** What executes statements; default the interpreter, which needs nothing. Others: `warehouse/make-engine.ts`. */
  readonly makeEngine?: (registry: Registry, switches: WarehouseSwitches) => Engine;
}

/** Credentials that are given out, as they are, for locations of each kind of store. */
export interface Vending {
  readonly aws?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string };
  readonly azureSasToken?: string;
  readonly gcpOauthToken?: string;
  /** Default 3600000. */
  readonly lifetimeMs?: number;
}

/** Behaviours that the contract page leaves open or tells in several ways, and limits that are not published. Numbers are its sections. */
export interface LabSwitches {
  // OAuth
  /** 1.3 `operations` in the TABLE entry of `authorization_details`. */
  operations: 'optional' | 'mandatory' | 'refused';
  /** 1.3 inherited grants and ALL PRIVILEGES suffice for a Zerobus token. */
  inheritedGrantsSuffice: boolean;
  /** 1.3 a scoped token is filled up to this size. */
  scopedTokenBytes: number;
  /** 10.8 Unity Catalog and warehouses take a Zerobus token too. */
  scopedTokenServesWorkspace: boolean;
  /** 1.1 plain tokens tell their `scope`. */
  tokenTellsScope: boolean;
  // Zerobus: who may
  /** 10.6 a plain token at insert. */
  plainTokenStatus: 401 | 403;
  /** 10.6 a token for another workspace id at insert. */
  wrongWorkspaceStatus: 401 | 403;
  /** 9.1 an absent table, asked for with a valid token for another table. */
  missingTableStatus: 404 | 403;
  /** A grant that is taken away counts at once; false: as long as the token lives. */
  revokedGrantsCountAtOnce: boolean;
  /** 10.7 a token for a table that was dropped and made again. */
  recreatedTableNeedsNewToken: boolean;
  // Zerobus: schema
  /** 2.5 a new column is known this long after its commit, ms. */
  schemaPickupMs: number;
  /** 2.5 a token knows only columns that were there (and picked up) when it was minted. */
  newColumnsNeedNewToken: boolean;
  // Zerobus: values
  /** 2.5 JSON `null` for a nullable column. */
  explicitNull: 'refused' | 'accepted';
  /** 2.5 BIGINT (and TIMESTAMP) digits in quotes. */
  quotedBigint: 'refused' | 'accepted';
  /** 2.5 DECIMAL as a JSON number. */
  decimalNumber: 'refused' | 'accepted';
  /** 2.5 "NaN", "Infinity" for FLOAT and DOUBLE. */
  nanText: 'refused' | 'accepted';
  /** A DECIMAL text with more digits after the point than the column has: refused, or accepted and rounded half up. */
  decimalScale: 'refused' | 'rounded';
  /** 2.2 `Content-Encoding: gzip`. */
  gzip: 'refused' | 'accepted';
  /** An array without a row. */
  emptyArray: 'refused' | 'accepted';
  // Zerobus: limits and answers
  /** 2.4 longest record, bytes. */
  maxRecordBytes: number;
  /** 2.4, 9.1 longest request, bytes; longer ones get 413. */
  maxRequestBytes: number;
  /** 2.4, 9.1 rows of a request; more get 413. */
  maxRequestRows: number;
  /** 2.4 requests in one second; more get 429. */
  maxRequestsPerSecond: number;
  /** 2.4 columns of a table. */
  maxColumns: number;
  /** 9.1 `Retry-After` of a 429 that the stand-in decides by itself, seconds; undefined: none. */
  retryAfterSeconds: number | undefined;
  /** 2.7 the status of 4024, unsupported kinds of tables. */
  unsupportedKindStatus: 400 | 403;
  /** 2.2 the body of a 200. */
  successBody: '{}' | '';
  /** 2.4 pause before each answer of Zerobus, ms. */
  zerobusLatencyMs: number;
  /** 2.6 time between the answer and the rows in the table, ms. */
  visibilityDelayMs: number;
  // Unity Catalog
  /** 4.1 `type_json`: the bare type, the whole field, or one after the other. */
  typeJson: 'bare' | 'field' | 'mixed';
  /** 4.1 columns come in an order other than by position. */
  shuffledColumns: boolean;
  /** 4.6 codes of things that do not exist. */
  notFoundCode: 'specific' | 'NOT_FOUND' | 'RESOURCE_DOES_NOT_EXIST';
  /** 4.6 a table that exists. */
  alreadyExists: '400 TABLE_ALREADY_EXISTS' | '409 ALREADY_EXISTS' | '409 RESOURCE_ALREADY_EXISTS' | '409 RESOURCE_CONFLICT';
  /** 4.6 what a missing EXTERNAL USE SCHEMA or the metastore's switch answers. */
  credentialsDenied: '403' | '401 with reason';
  /** 4.6 text of EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE. */
  externalWriteText: 'older' | 'newer';
  /** 4.2 the metastore allows external data access. */
  externalAccessEnabled: boolean;
  /** What the metastore says of itself: its region, and its own storage root (older ones have one). */
  metastoreRegion: string | undefined;
  metastoreStorageRoot: string | undefined;
  /** Answers about the caller have the number of the workspace in a header. */
  tellsWorkspaceId: boolean;
  /** Groups that every caller is in. */
  groups: readonly string[];
  /** Whoever owns nothing may read its own grants. */
  tellsOwnGrants: boolean;
  /** 4.6 the status of an overlap with another table. */
  locationOverlap: '400 LOCATION_OVERLAP' | '400 INVALID_PARAMETER_VALUE' | '409 LOCATION_OVERLAP';
  /** 9.4 paths of temporary credentials that answer. */
  credentialPaths: '2.0 and 2.1' | '2.0' | '2.1';
  /** 10.9 temporary path credentials and table creation ask for EXTERNAL USE LOCATION. */
  externalUseLocationNeeded: boolean;
  /** Routes that the workspace does not have: those around the tables that the page does not list, or catalogs and schemas as well. */
  absentRoutes: 'none' | 'surroundings' | 'all but tables';
  /** How it answers there, always with 404: an error of its own, no body, or a page. */
  absentRouteAnswer: 'ENDPOINT_NOT_FOUND' | 'empty' | 'page';
  /** Pause before each answer of the workspace, ms. */
  workspaceLatencyMs: number;
}

/** Where the page leaves a choice, the stricter one. */
export const DEFAULT_SWITCHES: LabSwitches = {
  operations: 'optional',
  inheritedGrantsSuffice: false,
  scopedTokenBytes: 5_000,
  scopedTokenServesWorkspace: false,
  tokenTellsScope: false,
  plainTokenStatus: 403,
  wrongWorkspaceStatus: 401,
  missingTableStatus: 404,
  revokedGrantsCountAtOnce: true,
  recreatedTableNeedsNewToken: true,
  schemaPickupMs: 200,
  newColumnsNeedNewToken: true,
  explicitNull: 'refused',
  quotedBigint: 'refused',
  decimalNumber: 'refused',
  nanText: 'refused',
  decimalScale: 'refused',
  gzip: 'refused',
  emptyArray: 'refused',
  maxRecordBytes: 10_485_760,
  maxRequestBytes: 4_194_304,
  maxRequestRows: 1_000,
  maxRequestsPerSecond: 10_000,
  maxColumns: 2_000,
  retryAfterSeconds: 1,
  unsupportedKindStatus: 400,
  successBody: '{}',
  zerobusLatencyMs: 0,
  visibilityDelayMs: 200,
  typeJson: 'mixed',
  shuffledColumns: true,
  notFoundCode: 'specific',
  alreadyExists: '400 TABLE_ALREADY_EXISTS',
  credentialsDenied: '403',
  externalWriteText: 'older',
  externalAccessEnabled: true,
  metastoreRegion: 'us-east-1',
  metastoreStorageRoot: undefined,
  tellsWorkspaceId: true,
  groups: [],
  tellsOwnGrants: true,
  locationOverlap: '400 LOCATION_OVERLAP',
  credentialPaths: '2.0 and 2.1',
  externalUseLocationNeeded: true,
  absentRoutes: 'none',
  absentRouteAnswer: 'ENDPOINT_NOT_FOUND',
  workspaceLatencyMs: 0,
};

/** `defaults` with `given` over them. @throws Error for a name that does not exist: a typo would switch nothing */
export function fillSwitches(given: Partial<LabSwitches> = {}): LabSwitches {
  const unknown = Object.keys(given).filter((name) => !(name in DEFAULT_SWITCHES));
  if (unknown.length > 0) throw new Error(`there is no switch ${unknown.join(', ')}`);
  return { ...DEFAULT_SWITCHES, ...given };
}
