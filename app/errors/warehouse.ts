import type { ErrorEntry } from './entry.ts';

/** Errors of a Databricks SQL warehouse and of the statements it runs. */
export const WAREHOUSE_ERRORS = {
  WAREHOUSE_UNREACHABLE: {
    retry: 'later',
    meaning: 'No connection to the warehouse came about (name not found, refused, no route), so nothing was executed.',
    action:
      'Check the workspace URL, the DNS and the network path (or HTTPS_PROXY) from this machine; the product tries again by itself.',
  },
  WAREHOUSE_ANSWER_LOST: {
    retry: 'later',
    meaning:
      'A statement was sent, but its end is not known: the connection broke, the warehouse failed inside, or somebody cancelled it. It may have been executed.',
    action:
      'Nothing to do when it happens now and then: the product repeats the statement. With a table that has _event_id this adds no row twice; without, duplicates are possible, so add the column _event_id STRING (and _row_no INT).',
  },
  WAREHOUSE_TLS_FAILED: {
    retry: 'never',
    meaning:
      'The certificate of the workspace (or of a proxy before it) is not trusted, or no secure connection could be agreed.',
    action:
      'Set CA_FILE (for Databricks alone) or NODE_EXTRA_CA_CERTS (for the whole process) to the certificates of the authority that signs for the workspace or the proxy, or correct the workspace URL.',
  },
  WAREHOUSE_ADDRESS_WRONG: {
    retry: 'never',
    meaning: 'The address is malformed, or what answers there is no SQL warehouse: a login page, a proxy, another service.',
    action:
      'Set the workspace URL (https://<workspace>.cloud.databricks.com, without a path) and the warehouse id as the workspace shows them.',
  },
  WAREHOUSE_PROXY_REFUSED: {
    retry: 'never',
    meaning: 'The proxy named by HTTPS_PROXY refused to connect to the workspace.',
    action: 'Correct user and password in HTTPS_PROXY, let the proxy allow the workspace, or name the workspace in NO_PROXY.',
  },
  WAREHOUSE_NOT_FOUND: {
    retry: 'never',
    meaning: 'The workspace has no SQL warehouse with this id, or does not show it to the service principal.',
    action: 'Copy the warehouse id from its connection details, and grant the service principal CAN USE on it.',
  },
  WAREHOUSE_TOKEN_REFUSED: {
    retry: 'never',
    meaning: 'The workspace does not accept the token, not even one that was just made.',
    action: 'Check that the service principal is a member of this workspace and that its client id and secret are current.',
  },
  WAREHOUSE_FORBIDDEN: {
    retry: 'never',
    meaning: 'The service principal may not use the warehouse, or the workspace does not let this machine in.',
    action:
      'Grant the service principal CAN USE on the SQL warehouse, and allow the address of this machine in the IP access list of the workspace.',
  },
  WAREHOUSE_STARTING: {
    retry: 'later',
    meaning:
      'The warehouse gave no answer in time; most likely it is starting, which takes 30 to 90 seconds. Nothing was executed.',
    action:
      'Wait: the product tries again by itself, and the first write after a start is slow. To avoid it, raise Auto stop of the warehouse or use a serverless one.',
  },
  WAREHOUSE_STOPPED: {
    retry: 'never',
    meaning: 'The warehouse is stopped and does not start by itself.',
    action: 'Start the warehouse, and allow it to start automatically.',
  },
  WAREHOUSE_BUSY: {
    retry: 'later',
    meaning: 'The warehouse or the workspace limits how many statements it takes (429, or a full queue); nothing was executed.',
    action: 'Give the warehouse more clusters, or send fewer and larger batches; the product tries again by itself.',
  },
  SQL_TABLE_NOT_FOUND: {
    retry: 'never',
    meaning: 'There is no such table, or the service principal may not see it.',
    action: 'Create the table, correct its name, or grant USE CATALOG, USE SCHEMA and SELECT; the message holds the statements.',
  },
  SQL_SCHEMA_NOT_FOUND: {
    retry: 'never',
    meaning: 'There is no such catalog or schema, or the service principal may not see it.',
    action: 'Create it, correct the name of the table, or grant USE CATALOG and USE SCHEMA; the message holds the statements.',
  },
  SQL_PERMISSION_MISSING: {
    retry: 'never',
    meaning:
      'The service principal lacks a privilege that the statement needs (INSUFFICIENT_PRIVILEGES, INSUFFICIENT_PERMISSIONS).',
    action: 'Let an owner run the GRANT statements of the message.',
  },
  SQL_SCHEMA_DIFFERS: {
    retry: 'later',
    meaning:
      'The table has other columns than the statement was made for (for example DELTA_INSERT_COLUMN_ARITY_MISMATCH): somebody changed the table, or the view has new columns. Nothing was written.',
    action:
      'Nothing at first: the product reads the columns again, adds those that are missing and repeats. When they are as they were, SQL_COLUMNS_REFUSED says so.',
  },
  SQL_COLUMNS_REFUSED: {
    retry: 'never',
    meaning:
      'The warehouse refuses the columns of the statement (for example UNRESOLVED_COLUMN, DELTA_INSERT_COLUMN_ARITY_MISMATCH), although the table, read again, has just these columns. Nothing was written.',
    action:
      'Compare the table with the view: generated columns, row filters, column masks and rules of the table may be the reason; the error class in the message names it. Delivery goes on within a minute after it is corrected.',
  },
  SQL_COLUMN_EXISTS: {
    retry: 'later',
    meaning: 'A column that was to be added is there already; another writer was faster.',
    action: 'Nothing to do: the product reads the columns again.',
  },
  SQL_ROW_REFUSED: {
    retry: 'never',
    meaning: 'A value does not fit its column or breaks a constraint of the table; the whole statement failed and wrote nothing.',
    action:
      'Widen the column or relax the constraint and replay the event; or correct the resource at its source, which sends it again.',
  },
  SQL_CONFLICT: {
    retry: 'later',
    meaning: 'Another writer changed the table at the same time, so the statement was not committed.',
    action: 'Nothing to do when it happens now and then; else keep maintenance (OPTIMIZE, MERGE, UPDATE) away from busy hours.',
  },
  SQL_TOO_LARGE: {
    retry: 'later',
    meaning: 'The statement is too large for the warehouse, or needs more memory than it has; nothing was written.',
    action:
      'The product sends smaller batches; if a single row is too large, take large columns out of the view or enlarge the warehouse.',
  },
  SQL_TABLE_UNSUPPORTED: {
    retry: 'never',
    meaning: 'The table uses a feature that this warehouse cannot write, or is of a kind that takes no INSERT.',
    action: 'Use a newer warehouse (channel Current), or write to a managed Delta table by its name.',
  },
  SQL_TABLE_DAMAGED: {
    retry: 'never',
    meaning: 'The log of the Delta table is incomplete: files are missing.',
    action: 'Repair or restore the table (FSCK REPAIR TABLE, RESTORE); a staging table is dropped and made again.',
  },
  SQL_LOCATION_REFUSED: {
    retry: 'never',
    meaning:
      'A table cannot be made at this location: it overlaps another table, volume or the root of the storage (LOCATION_OVERLAP), or files of an older table lie there.',
    action: 'Name a location of its own, below an external location and not its root, and empty it of a stale _delta_log.',
  },
  SQL_STATEMENT_REFUSED: {
    retry: 'never',
    meaning:
      'The warehouse refused a statement for a reason that the product does not know; its error class and SQLSTATE are in the message.',
    action:
      'Look the class up in the error documentation of Databricks; if the table and its rights are right, report it with class and statement id.',
  },
  SQL_ANSWER_UNEXPECTED: {
    retry: 'never',
    meaning: 'The warehouse answered a query with columns or types that the product did not ask for.',
    action: 'Report it with the message; another version of the warehouse (channel Current) may help.',
  },
} as const satisfies Record<string, ErrorEntry>;
