import type { JsonObject } from '../../../scripts/generator/exact-json.ts';

/** How to start the stand-in. Everything has a default. */
export interface LabOptions {
  /** TCP port on 127.0.0.1; 0 (default) takes a free one, kept over `restart()`. */
  readonly port?: number;
  /** BOX_WEB_BASE_URL: used in fullUrl and in calls to Apps. Default: the address itself. */
  readonly baseUrl?: string;
  /** What /health and /$version tell. Default `2605.1`. */
  readonly version?: string;
  /** Folder that holds the state; without it the state lives in memory (and still outlives `restart()`). */
  readonly stateDir?: string;
  /** BOX_ROOT_CLIENT_ID and _SECRET. Default root / secret. */
  readonly rootClient?: { readonly id: string; readonly secret: string };
  /** Seed of every random choice of the stand-in. Default 1. */
  readonly seed?: number;
  /** Pause between two tries of a failed delivery. Default 200. */
  readonly retryIntervalMs?: number;
  /** How long an App may take when its operation sets no `timeout`. Default 60000. */
  readonly appTimeoutMs?: number;
  /** BOX_WEB_MAX_BODY. Default 20971520. */
  readonly maxBodyBytes?: number;
  /** BOX_FHIR_CREATEDAT_URL. Default ex:createdAt. */
  readonly createdAtUrl?: string;
  /** Header whose value becomes `correlationId`. Default x-topic-correlation-id. */
  readonly correlationHeader?: string;
  /** Run at every start before HTTP opens, past every override; a failing transaction fails the start. */
  readonly initBundle?: JsonObject;
  /** Vault secrets by name: what `_valueString` secret references of `header` parameters stand for. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Every write gets a later `lastUpdated` than the one before (default). False: they may be equal. */
  readonly strictlyIncreasingTime?: boolean;
  readonly switches?: Partial<LabSwitches>;
  readonly faults?: Partial<LabFaults>;
}

/** Options with every default filled in. */
export type FilledOptions = Required<Omit<LabOptions, 'switches' | 'faults' | 'initBundle' | 'stateDir' | 'baseUrl'>> &
  Pick<LabOptions, 'initBundle' | 'stateDir' | 'baseUrl'>;

/** Behaviours that the contract page does not settle. `N` in the comments is the line of its §11. */
export interface LabSwitches {
  // 1: notifications of deletes
  deleteEntryHasResource: boolean;
  deleteEntryRequest: 'DELETE-type' | 'DELETE-id' | 'POST';
  /** Whose `meta` the resource of a delete has, and whose version the entry's extension names. */
  deleteEntryMeta: 'deletion' | 'before';
  deleteEntryVersion: 'deletion' | 'before';
  // 2: webhook
  webhookContentType: string;
  notificationEvents: 'same-order' | 'reversed' | 'absent';
  statusId: 'per-attempt' | 'per-batch' | 'absent';
  eventNumber: 'per-batch' | 'per-destination' | 'always-1';
  redirects: 'retry' | 'follow' | 'success';
  correlationIds: boolean;
  // 3: calls of the App
  appBodyForm: 'by-origin' | 'A' | 'B' | 'C';
  /** A status, or `cut`: the caller's connection is dropped. */
  appTimeoutStatus: number | 'cut';
  appDownStatus: number;
  appResponseHeaders: 'all' | 'content-type';
  appRequestHeaders: 'all' | 'no-authorization' | 'content-type';
  oauthInAppBody: boolean;
  decodeRouteParams: boolean;
  placeholdersTakeSpecials: boolean;
  bundlesBypassOverrides: boolean;
  /** Explicit Operation resources take over built-in routes. */
  operationsOverrideBuiltIns: boolean;
  /** How a body on a route of an App without `/fhir` reaches the App. */
  plainRouteBody: 'verbatim' | 'aidbox';
  /** Where the fields of a form body (`_search`) are: `body` is the raw text, `resource` an object. */
  formFields: 'form-params' | 'params' | 'body' | 'resource';
  // 4: registration
  fhirAppRoute: boolean;
  appOperationsOverrideBuiltIns: boolean;
  // 5: refusals
  bodyOf405: boolean;
  missingTopic: 'refuse' | 'no-sender';
  unknownKind: 'refuse' | 'store';
  lakehouseModule: 'refuse' | 'store';
  unknownParameter: 'refuse' | 'accept';
  profileRequired: boolean;
  // 6: Aidbox form of a primitive extension on a choice element
  aidboxPrimitiveExtension: 'inside' | 'sibling' | 'verbatim';
  correctAidboxFormat: boolean;
  // 7: events
  noopPut: 'fires' | 'silent';
  absentInteractionMeansDeleteToo: boolean;
  eventPerTrigger: boolean;
  absentVersionIs: 'null' | 'empty-object';
  deleteCriteriaFocus: 'last-content' | 'nothing';
  transactionSharesVersion: boolean;
  // 8: reading
  maxSearchCount: number;
  dumpOrder: 'shuffled' | 'oldest-first';
  dumpSince: 'created' | 'updated';
  /** `Type.parameter`: search parameters that are answered 400 (§10, 2606). */
  refusedSearchParameters: readonly string[];
  /** Searches tell their `total`. */
  searchTotal: boolean;
  /** Types whose storage keeps no history (§6): only the current version shows. */
  typesWithoutHistory: readonly string[];
  historyEtag: 'bare' | 'quoted' | 'weak';
  /** A deletion in the history carries the last content (§3.5). */
  historyDeleteHasResource: boolean;
  keepDecimalDigits: boolean;
  deleteOfMissing: 204 | 404;
  // 10: access
  policyRegexAnchored: boolean;
  deniedStatus: 403 | 401;
  /** False: no licence yet, every API call is redirected to the login page (§8). */
  activated: boolean;
  /** PATCH and PUT checks, unknown elements, formats: 422. False accepts any content. */
  validation: boolean;
}

export const DEFAULT_SWITCHES: LabSwitches = {
  deleteEntryHasResource: true,
  deleteEntryRequest: 'DELETE-type',
  deleteEntryMeta: 'deletion',
  deleteEntryVersion: 'deletion',
  webhookContentType: 'application/json',
  notificationEvents: 'same-order',
  statusId: 'per-attempt',
  eventNumber: 'per-batch',
  redirects: 'retry',
  correlationIds: true,
  appBodyForm: 'by-origin',
  appTimeoutStatus: 504,
  appDownStatus: 502,
  appResponseHeaders: 'all',
  appRequestHeaders: 'all',
  oauthInAppBody: true,
  decodeRouteParams: true,
  placeholdersTakeSpecials: false,
  bundlesBypassOverrides: true,
  operationsOverrideBuiltIns: true,
  plainRouteBody: 'verbatim',
  formFields: 'form-params',
  fhirAppRoute: true,
  appOperationsOverrideBuiltIns: true,
  bodyOf405: true,
  missingTopic: 'refuse',
  unknownKind: 'refuse',
  lakehouseModule: 'refuse',
  unknownParameter: 'refuse',
  profileRequired: true,
  aidboxPrimitiveExtension: 'inside',
  correctAidboxFormat: false,
  noopPut: 'fires',
  absentInteractionMeansDeleteToo: true,
  eventPerTrigger: false,
  absentVersionIs: 'empty-object',
  deleteCriteriaFocus: 'last-content',
  transactionSharesVersion: true,
  maxSearchCount: 1000,
  dumpOrder: 'shuffled',
  dumpSince: 'created',
  refusedSearchParameters: [],
  searchTotal: true,
  typesWithoutHistory: [],
  historyEtag: 'bare',
  historyDeleteHasResource: true,
  keepDecimalDigits: true,
  deleteOfMissing: 204,
  policyRegexAnchored: false,
  deniedStatus: 403,
  activated: true,
  validation: true,
};

/** Troubles that can be switched on while the stand-in runs. Probabilities are 0..1, per POST unless said otherwise. */
export interface LabFaults {
  /** The request is delivered and answered, but the answer is lost: it is sent again. */
  lost2xx: number;
  /** The connection breaks in the middle of the request body. */
  cutBody: number;
  /** The same POST is sent twice. */
  doubledPost: number;
  /** Doubled posts go out at the same time (default) or one after the other. */
  doubledConcurrently: boolean;
  /** A batch is taken from anywhere in the queue instead of its head. */
  reorder: number;
  /** POSTs under way at once for one destination. */
  parallelSends: number;
  /** A failed batch is cut anew: other sizes, mixed with what waits behind it. */
  recut: boolean;
  /** Longest random pause before each POST. */
  maxDelayMs: number;
  /** Nothing is sent while true; events go on queueing. */
  pauseSenders: boolean;
  /** A new sender exists only after this time; until then $status fails. */
  senderStartDelayMs: number;
  /** Answers of Apps are held back so long; past the time-out the caller is told so although the App did its work. */
  slowAppMs: number;
  /** Pause before each answer of the REST API. */
  slowAnswerMs: number;
  /** Added to the clock that stamps `lastUpdated`. */
  clockOffsetMs: number;
}

export const NO_FAULTS: LabFaults = {
  lost2xx: 0,
  cutBody: 0,
  doubledPost: 0,
  doubledConcurrently: true,
  reorder: 0,
  parallelSends: 1,
  recut: false,
  maxDelayMs: 0,
  pauseSenders: false,
  senderStartDelayMs: 0,
  slowAppMs: 0,
  slowAnswerMs: 0,
  clockOffsetMs: 0,
};

/** `defaults` with `given` over them. @throws Error for a name that does not exist: a typo would switch nothing */
export function fillIn<T extends object>(defaults: T, given: Partial<T> = {}): T {
  const unknown = Object.keys(given).filter((name) => !(name in defaults));
  if (unknown.length > 0) throw new Error(`there is no switch or fault ${unknown.join(', ')}`);
  return { ...defaults, ...given };
}

/** Put the defaults in; an option that is given as undefined counts as not given. */
export function fillOptions(options: LabOptions): FilledOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as LabOptions;
  return {
    port: 0,
    version: '2605.1',
    rootClient: { id: 'root', secret: 'secret' },
    seed: 1,
    retryIntervalMs: 200,
    appTimeoutMs: 60_000,
    maxBodyBytes: 20_971_520,
    createdAtUrl: 'ex:createdAt',
    correlationHeader: 'x-topic-correlation-id',
    secrets: {},
    strictlyIncreasingTime: true,
    ...given,
  };
}
