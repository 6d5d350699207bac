import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { parseRetryAfterMs } from '../lib/retry-after.ts';
import type { HttpAnswer } from './http-client.ts';

/** The text as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A name of an error that is safe to show: `invalid_client`, `PERMISSION_DENIED`; empty for anything else. */
export function errorName(value: unknown): string {
  return typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_.]{0,99}$/.test(value) ? value : '';
}

/**
 * True for an answer that comes from something else than an interface: a login page, a proxy. The text decides: frameworks name any answer
 * text/html, and an empty text or `{}` is a good answer of Zerobus (contract §2.2).
 */
export function isHtml({ headers, text }: HttpAnswer): boolean {
  const isNamedHtml = /\bhtml\b/.test(headers['content-type'] ?? '');
  return /^\s*<(!doctype|html|head|body)\b/i.test(text) || (isNamedHtml && /^\s*</.test(text));
}

/** Statuses that pass by themselves (contract §7.1, §7.2). 501 stays. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** The fault behind a status for which `isPassing` is true. After 408, 5xx a request may have been carried out. */
export function passingFault(answer: HttpAnswer, where: string, otherwise: ErrorCode = 'DATABRICKS_UNAVAILABLE'): AppError {
  const retryAfterMs = parseRetryAfterMs(answer.headers['retry-after'], MAX_RETRY_AFTER_MS);
  const code = answer.status === 429 ? 'DATABRICKS_THROTTLED' : otherwise;
  return new AppError(code, where, {
    facts: { status: answer.status },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Longest pause that the other side may ask for. */
const MAX_RETRY_AFTER_MS = 300_000;
