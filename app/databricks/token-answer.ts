import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { asObject, asText, type Json } from '../lib/json.ts';
import type { HttpAnswer } from './http-client.ts';
import { errorName, isHtml, isPassing, parseJson, passingFault } from './answers.ts';

/** Where an answer names no lifetime. */
const DEFAULT_LIFETIME_S = 3_600;

/** The token of a good answer; undefined for any other. */
export function readToken({ status, text }: HttpAnswer): { readonly token: string; readonly lifetimeMs: number } | undefined {
  const body = status === 200 ? asObject(parseJson(text)) : undefined;
  const token = asText(body?.['access_token']);
  if (token === undefined) return undefined;
  const seconds = Number(body?.['expires_in'] ?? DEFAULT_LIFETIME_S);
  return { token, lifetimeMs: (seconds > 0 ? seconds : DEFAULT_LIFETIME_S) * 1000 };
}

/** What an answer without a token means (contract §1.2, §7.2). @param table set when the token was asked for it */
export function findTokenRefusal(answer: HttpAnswer, workspaceUrl: string, table: readonly string[] | undefined): AppError {
  const { status, text } = answer;
  const where = `${workspaceUrl}/oidc/v1/token answered ${status}`;
  if (isPassing(status)) return passingFault(answer, where, 'DATABRICKS_TOKEN_UNAVAILABLE');
  const body = asObject(parseJson(text));
  const name = nameOf(body);
  if (status === 407) return new AppError('DATABRICKS_PROXY_REFUSED', `${where}: a proxy wants credentials`);
  const fail = (code: ErrorCode, what: string): AppError =>
    new AppError(code, `${where}${name === '' ? '' : ` ${name}`}: ${what}`);
  if (status === 404 || status === 200 || (status >= 300 && status < 400) || isHtml(answer))
    return fail('DATABRICKS_WRONG_ADDRESS', 'this is no token endpoint of a workspace');
  if (name === 'invalid_authorization_details') {
    const object = table?.join('.') ?? 'the table';
    return fail(
      'DATABRICKS_GRANTS_MISSING',
      `${object} does not exist, or the service principal has no direct grant of USE CATALOG on ${table?.[0] ?? 'its catalog'}, USE SCHEMA on ${table?.slice(0, 2).join('.') ?? 'its schema'}, SELECT and MODIFY on ${object}`,
    );
  }
  if (status === 403 && name === 'access_denied')
    return fail('DATABRICKS_SCOPE_MISSING', 'the secret does not cover the scope all-apis');
  if (status === 401) return fail('DATABRICKS_CREDENTIALS_REFUSED', 'the client id or the secret is wrong, expired or disabled');
  if (status === 403) return fail('DATABRICKS_FORBIDDEN', 'the workspace refuses calls from here');
  return fail('DATABRICKS_REQUEST_REFUSED', 'a token was expected');
}

function nameOf(body: Json | undefined): string {
  return errorName(body?.['error']) || errorName(body?.['errorCode']) || errorName(body?.['error_code']);
}
