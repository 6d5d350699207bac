import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { asObject } from '../lib/json.ts';
import { errorName, isHtml, isPassing, parseJson, passingFault } from './answers.ts';
import type { HttpAnswer } from './http-client.ts';

/**
 * What an answer of Zerobus means (contract §2.7, §7.2); undefined when the rows were taken. The text of the answer may quote rows, so of it
 * only names and numbers of errors are shown.
 *
 * @param table catalog, schema, table
 */
export function findRefusal(answer: HttpAnswer, where: string, table: readonly string[]): AppError | undefined {
  const { status, text } = answer;
  if (status >= 200 && status < 300 && !isHtml(answer)) return undefined;
  const name = table.join('.');
  const [code, advice] = classify(answer, table);
  const said = describe(text);
  const message = `${where} answered ${status}${said === '' ? '' : ` (${said})`} for table ${name}${advice === '' ? '' : `: ${advice}`}`;
  if (code === 'DATABRICKS_THROTTLED' || code === 'DATABRICKS_UNAVAILABLE') return passingFault(answer, message);
  return new AppError(code, message, { facts: { status } });
}

function classify(answer: HttpAnswer, [catalog, schema]: readonly string[]): readonly [ErrorCode, string] {
  const { status, text } = answer;
  if (status === 429) return ['DATABRICKS_THROTTLED', ''];
  if (status === 409 || status === 499) return ['DATABRICKS_ANSWER_LOST', 'the request was cancelled on the way'];
  if (isPassing(status)) return ['DATABRICKS_UNAVAILABLE', ''];
  if (status === 407) return ['DATABRICKS_PROXY_REFUSED', 'a proxy wants credentials'];
  if (isHtml(answer) || (status >= 300 && status < 400)) return ['DATABRICKS_WRONG_ADDRESS', 'this is no Zerobus endpoint'];
  if (status === 413) return ['DATABRICKS_REQUEST_TOO_LARGE', ''];
  if (isUnsupported(text)) return ['DATABRICKS_TABLE_UNSUPPORTED', 'a managed Delta table with storage of its own was expected'];
  if (status === 401) return ['DATABRICKS_TOKEN_REFUSED', ''];
  if (status === 403) {
    const grants = `USE CATALOG on ${catalog}, USE SCHEMA on ${catalog}.${schema}, SELECT and MODIFY on the table`;
    return ['DATABRICKS_FORBIDDEN', `the service principal needs direct grants of ${grants}`];
  }
  if (status === 404) return ['DATABRICKS_TABLE_NOT_FOUND', ''];
  if (status === 501) return ['DATABRICKS_TABLE_UNSUPPORTED', ''];
  if (status === 400 && text.trim() === '')
    return ['DATABRICKS_WRONG_ADDRESS', 'the workspace id or the region in the host of Zerobus is wrong'];
  // Databricks says not to read messages; nothing else tells an unknown column from a bad value (contract §2.7).
  if (/unrecognized field|FIELD_NOT_IN_TABLE/i.test(text)) return ['DATABRICKS_SCHEMA_DIFFERS', 'a column is unknown there'];
  // Whatever else it says of a request that it understood: if it is not the rows, none of them will be taken, and that is told apart.
  if (status === 400 || status === 422) return ['DATABRICKS_ROW_REFUSED', 'a row of the request does not fit the table'];
  return ['DATABRICKS_REQUEST_REFUSED', ''];
}

/** A table that Zerobus cannot write to. Numbers alone tell nothing: a message may name column 4024 of the text, or quote a value. */
function isUnsupported(text: string): boolean {
  if (/Error Code:?\s*4044\b/i.test(text)) return false;
  return /Error Code:?\s*4024\b|created in default storage|unsupported table kind|catalog[- ]managed|check constraints? (is|are) not/i.test(
    text,
  );
}

/** `INVALID_PARAMETER_VALUE, error code 4044, state 3` */
function describe(text: string): string {
  const name = errorName(asObject(parseJson(text))?.['error_code']);
  const number = /Error Code: (\d{1,6})/.exec(text)?.[1];
  const state = /Error State: (\d{1,6})/.exec(text)?.[1];
  return [name, number && `error code ${number}`, state && `state ${state}`]
    .filter((part) => part !== '' && part !== undefined)
    .join(', ');
}
