import type { ErrorEntry } from './entry.ts';

/** Errors of a Databricks workspace: its token endpoint, Zerobus and Unity Catalog. Those of the SQL warehouse stand in warehouse.ts. */
export const DATABRICKS_ERRORS = {
  DATABRICKS_UNREACHABLE: {
    retry: 'later',
    meaning: 'No connection to the Databricks host could be opened, so nothing was sent.',
    action:
      'Check databricksWorkspaceUrl, databricksRegion and databricksWorkspaceId, the DNS, and that outgoing port 443 is open to that host (firewall allow-list, HTTPS_PROXY); the product tries again by itself.',
  },
  DATABRICKS_ANSWER_LOST: {
    retry: 'later',
    meaning: 'A request was sent and its answer did not come, so whether its rows are in the table is unknown.',
    action:
      'Nothing: the request is sent again. Rows may then be in the table twice; with the column _event_id they can be told apart (docs/modes.md).',
  },
  DATABRICKS_TLS_FAILED: {
    retry: 'never',
    meaning: 'The certificate of the Databricks host, or of a proxy in front of it, is not trusted.',
    action:
      'Set CA_FILE (for Databricks alone) or NODE_EXTRA_CA_CERTS (for the whole process) to the certificates of the authority that signs for that host or proxy; both may be set.',
  },
  DATABRICKS_PROXY_REFUSED: {
    retry: 'never',
    meaning: 'The proxy between this service and Databricks refused the connection.',
    action: 'Correct HTTPS_PROXY (user and password included), or let NO_PROXY name the Databricks hosts.',
  },
  DATABRICKS_WRONG_ADDRESS: {
    retry: 'never',
    meaning:
      'Something answered that is not the expected Databricks service: a login page, a proxy, or the host of another workspace.',
    action:
      'Correct databricksWorkspaceUrl (https://<workspace host>); for Zerobus databricksWorkspaceId, databricksRegion or zerobusEndpoint.',
  },
  DATABRICKS_HOST_NOT_TRUSTED: {
    retry: 'never',
    meaning:
      'The destination relies on the service principal of the service, but its workspace is none that this principal is for.',
    action:
      'Add the workspace (and zerobusEndpoint, if there is one) to DATABRICKS_WORKSPACE_URLS, or give the destination credentials of its own.',
  },
  DATABRICKS_CREDENTIALS_REFUSED: {
    retry: 'never',
    meaning: 'The workspace does not accept the client id and secret of the service principal.',
    action:
      'Make a new OAuth secret for the service principal, add the principal to the workspace, and give both to the destination (databricksClientId, databricksClientSecret).',
  },
  DATABRICKS_TOKEN_UNAVAILABLE: {
    retry: 'later',
    meaning: 'The token endpoint of the workspace cannot answer at the moment; nothing was sent.',
    action: 'See the status page of Databricks; the product tries again by itself.',
  },
  DATABRICKS_SCOPE_MISSING: {
    retry: 'never',
    meaning: 'The secret of the service principal is limited to scopes that do not suffice.',
    action: 'Make a secret without a limit of scopes (all-apis).',
  },
  DATABRICKS_GRANTS_MISSING: {
    retry: 'never',
    meaning:
      'The workspace gives no token for the table: the table does not exist, or the service principal lacks a direct grant on catalog, schema or table.',
    action:
      'Check tableName; grant the service principal itself USE CATALOG, USE SCHEMA and, on the table, SELECT and MODIFY (`npm run doctor`, `npm run grants -- --mode managed-zerobus`).',
  },
  DATABRICKS_TOKEN_REFUSED: {
    retry: 'never',
    meaning: 'Databricks refuses a token that was given out just now.',
    action:
      'Check databricksWorkspaceId (the number after ?o= in the address of the workspace), that the principal belongs to this workspace, and the clock of this machine; then make a new secret.',
  },
  DATABRICKS_FORBIDDEN: {
    retry: 'never',
    meaning: 'The service principal may not do this: a grant, an IP access list or a network policy stands against it.',
    action:
      'Grant SELECT and MODIFY on the table directly to the service principal (groups and ALL PRIVILEGES do not count for Zerobus); check IP access lists; `npm run doctor` names what is missing.',
  },
  DATABRICKS_TABLE_NOT_FOUND: {
    retry: 'never',
    meaning: 'Zerobus does not know the table, or is not enabled for the workspace.',
    action:
      'Check tableName, make the table (`npm run view -- ddl`), and see that Zerobus is available in the region of the workspace.',
  },
  DATABRICKS_TABLE_UNSUPPORTED: {
    retry: 'never',
    meaning:
      'Zerobus cannot write to a table of this kind: default storage (4024), not managed, not Delta, a view, catalog-managed commits, or a CHECK constraint.',
    action:
      'Use a managed Delta table in a catalog with a storage root of your own and without catalog commits, or choose writeMode managed-sql.',
  },
  DATABRICKS_TABLE_UNFIT: {
    retry: 'never',
    meaning: 'Names or number of the columns of the table are beyond what Zerobus takes.',
    action: 'Use letters, digits and underscores in the names of catalog, schema, table and columns, at most 2,000 columns.',
  },
  DATABRICKS_SCHEMA_DIFFERS: {
    retry: 'later',
    meaning: 'Zerobus refused columns of the rows; the columns of the table are read again.',
    action: 'Nothing, unless it repeats: then compare the table with the view.',
  },
  DATABRICKS_SCHEMA_NOT_VISIBLE: {
    retry: 'later',
    meaning: 'Zerobus does not know yet a column that was just added to the table.',
    action: 'Nothing: it takes seconds to a minute. If it stays, drop the column or create the destination again.',
  },
  DATABRICKS_ROW_REFUSED: {
    retry: 'never',
    meaning: 'Databricks refused the rows of one event, and took those beside it.',
    action: 'Compare the types of table and view for the quarantined event; correct them, then replay it, or drop it.',
  },
  DATABRICKS_ALL_ROWS_REFUSED: {
    retry: 'never',
    meaning:
      'Databricks refused every event that was tried with the present columns, so the fault lies in the table and not in the events.',
    action:
      'Compare the types, NOT NULL columns and constraints of the table with the view; delivery goes on by itself once they fit.',
  },
  DATABRICKS_REQUEST_TOO_LARGE: {
    retry: 'later',
    meaning: 'A request was too large for the other side; it is sent again in smaller parts.',
    action: 'Nothing.',
  },
  DATABRICKS_THROTTLED: {
    retry: 'later',
    meaning: 'Databricks answered that there are too many requests.',
    action: 'Nothing: the product slows down and tries again. If it stays, raise batchSize or the quota.',
  },
  DATABRICKS_UNAVAILABLE: {
    retry: 'later',
    meaning: 'Databricks answered that it cannot serve the request at the moment.',
    action: 'See the status page of Databricks; the product tries again by itself.',
  },
  DATABRICKS_REQUEST_REFUSED: {
    retry: 'never',
    meaning: 'Databricks refused a request for a reason of its own, which the message names by its code.',
    action: 'Look the code up in the documentation of Databricks; if it is not your configuration, report it.',
  },
  UNITY_EXTERNAL_WRITE_NOT_ALLOWED: {
    retry: 'never',
    meaning:
      'Unity Catalog gives no credentials to write to a managed table from outside (EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE).',
    action:
      'Choose writeMode managed-zerobus or managed-sql, or make the table again as an external one (CREATE TABLE … LOCATION …).',
  },
  UNITY_EXTERNAL_ACCESS_DISABLED: {
    retry: 'never',
    meaning: 'The metastore does not allow access from outside (EXTERNAL_ACCESS_DISABLED_ON_METASTORE).',
    action: 'Let a metastore admin switch on external data access in the details of the metastore.',
  },
  UNITY_EXTERNAL_USE_SCHEMA_MISSING: {
    retry: 'never',
    meaning: 'The service principal lacks EXTERNAL USE SCHEMA, or the schema is of a kind that cannot have it.',
    action:
      'Let the owner of the catalog run GRANT EXTERNAL USE SCHEMA ON SCHEMA … TO `<client id>`; a schema that refuses it must be made with a storage root (databricks schemas create … --storage-root).',
  },
  UNITY_PRIVILEGE_MISSING: {
    retry: 'never',
    meaning:
      'The service principal lacks a privilege in Unity Catalog, or CAN_USE on the SQL warehouse (INSUFFICIENT_PRIVILEGES).',
    action: 'Grant what `npm run grants -- --mode MODE` prints; `npm run doctor` names the one that is missing.',
  },
  UNITY_NOT_FOUND: {
    retry: 'never',
    meaning: 'The workspace has no such catalog, schema, table or warehouse, or does not show it to the service principal.',
    action:
      'Check tableName, databricksWarehouseId and databricksWorkspaceUrl; make the table (`npm run view -- ddl`); grant the privilege to see it.',
  },
  UNITY_CALL_ABSENT: {
    retry: 'never',
    meaning: 'The workspace does not have a call by which `npm run doctor` looks around; nothing that the product needs.',
    action: 'Nothing: what it would have told stays unknown, and later checks decide.',
  },
  UNITY_ALREADY_EXISTS: {
    retry: 'never',
    meaning: 'Unity Catalog has an object of this name already.',
    action: 'Drop it if it is left over from an earlier attempt, or choose another name.',
  },
  UNITY_LOCATION_OVERLAP: {
    retry: 'never',
    meaning: 'The location lies in managed storage, or over another table or volume (LOCATION_OVERLAP).',
    action: 'Let stagingTablePath be a prefix of its own below an external location, not its root.',
  },
} as const satisfies Record<string, ErrorEntry>;
