import type { ErrorCode } from '../../errors/catalogue.ts';

/** The table got other columns while the statement ran; the next one may pass without any further change. */
const CHANGED_MEANWHILE = /^DELTA_METADATA_CHANGED$|^DELTA_SCHEMA_CHANGE/;

/**
 * Error classes of Databricks, Spark and Delta by what the product does about them: the first pattern that matches the class (without its
 * subclass, unless it is named) decides. Names: delta-error-classes.json and the page "Error classes in Databricks".
 */
const CLASSES: readonly (readonly [RegExp, ErrorCode])[] = [
  [CHANGED_MEANWHILE, 'SQL_SCHEMA_DIFFERS'],
  [/^DELTA_CONCURRENT_|^DELTA_PROTOCOL_CHANGED$|^DELTA_MAX_COMMIT_RETRIES_EXCEEDED$|^CONCURRENT_/, 'SQL_CONFLICT'],
  [
    /^(DELTA_)?INSERT_COLUMN_(ARITY_)?MISMATCH|^DELTA_COLUMN_NOT_FOUND|^UNRESOLVED_COLUMN|^UNRESOLVED_FIELD|^DELTA_MERGE_UNRESOLVED_EXPRESSION/,
    'SQL_SCHEMA_DIFFERS',
  ],
  [
    // One value may be the reason, or the type of the whole column: which of them, the rows show one by one.
    /^DATATYPE_MISMATCH|^INCOMPATIBLE_DATA_FOR_TABLE|^DELTA_FAILED_TO_MERGE_FIELDS/,
    'SQL_ROW_REFUSED',
  ],
  [/^FIELDS?_ALREADY_EXISTS$|^COLUMN_ALREADY_EXISTS$|^DELTA_DUPLICATE_COLUMNS/, 'SQL_COLUMN_EXISTS'],
  [/^DELTA_NOT_NULL_CONSTRAINT_VIOLATED|^DELTA_MISSING_NOT_NULL_COLUMN_VALUE|^NOT_NULL_/, 'SQL_ROW_REFUSED'],
  [
    /^DELTA_VIOLATE_CONSTRAINT|^CHECK_CONSTRAINT_VIOLATION|^(DELTA_)?EXCEED_(CHAR_VARCHAR_)?LIMIT|^DELTA_EXCEED/,
    'SQL_ROW_REFUSED',
  ],
  [
    /^CAST_|^DELTA_CAST_OVERFLOW|^NUMERIC_VALUE_OUT_OF_RANGE|^NUMERIC_OUT_OF_|^ARITHMETIC_OVERFLOW|^DATETIME_OVERFLOW/,
    'SQL_ROW_REFUSED',
  ],
  [/^CONVERSION_INVALID_INPUT|^MALFORMED_RECORD_IN_PARSING|^CANNOT_PARSE_/, 'SQL_ROW_REFUSED'],
  [/^TABLE_OR_VIEW_NOT_FOUND|^TABLE_DOES_NOT_EXIST|^DELTA_TABLE_NOT_FOUND|^DELTA_MISSING_DELTA_TABLE/, 'SQL_TABLE_NOT_FOUND'],
  [
    /^(SCHEMA|CATALOG)_(NOT_FOUND|DOES_NOT_EXIST)|^NO_SUCH_(CATALOG|SCHEMA)|^UC_(CATALOG|SCHEMA)_NOT_FOUND/,
    'SQL_SCHEMA_NOT_FOUND',
  ],
  [/^INSUFFICIENT_(PERMISSIONS|PRIVILEGES)|^PERMISSION_DENIED|^UNAUTHORIZED_ACCESS/, 'SQL_PERMISSION_MISSING'],
  [/^RESOURCE_EXHAUSTED|OUT_OF_MEMORY|^STATEMENT_TOO_LARGE|^MAX_.*_SIZE_EXCEEDED/, 'SQL_TOO_LARGE'],
  [
    /^DELTA_UNSUPPORTED_|^DELTA_PATH_BASED_ACCESS_TO_CATALOG_MANAGED|^DELTA_ONLY_OPERATION|^UNSUPPORTED_INSERT|^DELTA_CANNOT_MODIFY_APPEND_ONLY/,
    'SQL_TABLE_UNSUPPORTED',
  ],
  [
    /^DELTA_STATE_RECOVER_ERROR|^DELTA_LOG_FILE_NOT_FOUND|^DELTA_VERSIONS_NOT_CONTIGUOUS|^DELTA_TRUNCATED_TRANSACTION_LOG/,
    'SQL_TABLE_DAMAGED',
  ],
  [/^DELTA_PATH_DOES_NOT_EXIST|^DELTA_METADATA_ABSENT/, 'SQL_TABLE_DAMAGED'],
  [
    /LOCATION_OVERLAP$|^DELTA_CREATE_TABLE_SCHEME_MISMATCH|^DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION|^DELTA_CREATE_TABLE_/,
    'SQL_LOCATION_REFUSED',
  ],
  [/^INTERNAL_ERROR/, 'WAREHOUSE_ANSWER_LOST'],
];

/** SQLSTATEs, or their beginning, where the class says nothing: the families of the SQL standard and of Databricks. */
const STATES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^42501$/, 'SQL_PERMISSION_MISSING'],
  [/^42P01$/, 'SQL_TABLE_NOT_FOUND'],
  [/^42704$/, 'SQL_SCHEMA_NOT_FOUND'],
  [/^42703$|^21S01$|^42802$/, 'SQL_SCHEMA_DIFFERS'],
  [/^42710$|^42711$/, 'SQL_COLUMN_EXISTS'],
  [/^22|^23/, 'SQL_ROW_REFUSED'],
  [/^2D521$|^40/, 'SQL_CONFLICT'],
  [/^5[34]/, 'SQL_TOO_LARGE'],
  [/^56038$/, 'SQL_TABLE_UNSUPPORTED'],
  [/^08|^XX000$|^XXK/, 'WAREHOUSE_ANSWER_LOST'],
];

/** Words of failures that come without a class. Only the beginning of the text is looked at: values stand later. */
const WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/PERMISSION_DENIED|does not have .{0,60} (permission|privilege)|INSUFFICIENT_PRIVILEGES/, 'SQL_PERMISSION_MISSING'],
  [/RESOURCE_EXHAUSTED|out of memory|OutOfMemory/i, 'SQL_TOO_LARGE'],
  [/LOCATION_OVERLAP|overlaps with/i, 'SQL_LOCATION_REFUSED'],
  [/NO_SUCH_CATALOG_EXCEPTION|NoSuchCatalog/, 'SQL_SCHEMA_NOT_FOUND'],
];
const WORDS_WITHIN = 300;

/** True for a class that says that the columns changed while the statement ran, not that the statement is wrong. */
export function isChangedMeanwhile(errorClass: string): boolean {
  return CHANGED_MEANWHILE.test(errorClass);
}

/** True for the name of a class that the product knows what to do about. */
export function isKnownClass(name: string): boolean {
  return CLASSES.some(([pattern]) => pattern.test(name));
}

/**
 * The code for a statement that the warehouse refused: by the innermost known class (what a task failed of stands behind `TASK_WRITE_FAILED`),
 * then by SQLSTATE, then by words. What is not known is SQL_STATEMENT_REFUSED: it is never repeated blindly.
 */
export function findSqlCode(errorClasses: readonly string[], sqlState: string, text: string): ErrorCode {
  for (const errorClass of errorClasses) {
    const found = CLASSES.find(([pattern]) => pattern.test(errorClass));
    if (found !== undefined) return found[1];
  }
  const byState = STATES.find(([pattern]) => pattern.test(sqlState));
  if (byState !== undefined) return byState[1];
  const head = text.slice(0, WORDS_WITHIN);
  return (errorClasses.length === 0 ? WORDS.find(([pattern]) => pattern.test(head))?.[1] : undefined) ?? 'SQL_STATEMENT_REFUSED';
}
