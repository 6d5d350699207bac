import { isAppError, type AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { describeCause } from '../lib/describe-cause.ts';

/** One problem, in the words of FHIR. `code` is a code of the FHIR value set issue-type. */
export interface OutcomeIssue {
  readonly severity: 'fatal' | 'error' | 'warning' | 'information';
  readonly code: string;
  readonly diagnostics: string;
  /** FHIRPath of the element that is wrong. */
  readonly expression?: readonly string[];
  /** Code of our error catalogue, for programs. */
  readonly details?: { readonly coding: readonly { readonly system: string; readonly code: ErrorCode }[] };
}

export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome';
  readonly issue: readonly OutcomeIssue[];
}

/** What an operation answers; the same whether Aidbox or a test called it. */
export interface OperationAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; nothing when undefined. */
  readonly body?: unknown;
}

export const ERROR_CODE_SYSTEM = 'urn:aidbox-data-lakehouse:error';

/** HTTP status and issue code of errors whose kind (`retry`) does not say enough. */
const SPECIAL: Partial<Record<ErrorCode, readonly [status: number, issueCode: string]>> = {
  INTERNAL: [500, 'exception'],
  AIDBOX_REFUSED: [500, 'forbidden'],
  AIDBOX_ANSWER_UNEXPECTED: [502, 'exception'],
  OPERATION_UNAUTHORIZED: [401, 'login'],
  OPERATION_INVALID: [400, 'structure'],
  CONTENT_TYPE_UNSUPPORTED: [415, 'not-supported'],
  OPERATION_UNKNOWN: [404, 'not-supported'],
  DESTINATION_EXISTS: [409, 'duplicate'],
  DESTINATION_CHANGED: [409, 'conflict'],
  DESTINATION_NOT_IN_BUILD: [422, 'not-supported'],
  DESTINATION_UNREADABLE: [500, 'exception'],
  SECRET_UNREADABLE: [500, 'exception'],
  TOPIC_NOT_FOUND: [422, 'not-found'],
  VIEW_NOT_FOUND: [422, 'not-found'],
};

const DEFAULT_RETRY_MS = 5_000;

export function makeOutcome(issues: readonly OutcomeIssue[]): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: issues };
}

/** The issue that tells a user about `error`: what was found and expected, then what to do. */
export function issueOf(error: AppError, expression?: string): OutcomeIssue {
  return {
    severity: 'error',
    code: SPECIAL[error.code]?.[1] ?? (error.retry === 'later' ? 'transient' : 'processing'),
    diagnostics: `${error.message}. ${error.action}`,
    details: { coding: [{ system: ERROR_CODE_SYSTEM, code: error.code }] },
    ...(expression === undefined ? {} : { expression: [expression] }),
  };
}

/** Any error as an answer. The text of a foreign error may quote data, so only its class is shown. */
export function answerOf(error: unknown): OperationAnswer {
  if (!isAppError(error)) {
    const diagnostics = `a fault of the product itself (${describeCause(error)}). Report it with the log line of this time.`;
    return { status: 500, body: makeOutcome([{ severity: 'fatal', code: 'exception', diagnostics }]) };
  }
  const status = SPECIAL[error.code]?.[0] ?? (error.retry === 'later' ? 503 : 422);
  const headers: Record<string, string> =
    status === 503 ? { 'retry-after': String(Math.ceil((error.retryAfterMs ?? DEFAULT_RETRY_MS) / 1000)) } : {};
  return { status, headers, body: makeOutcome([issueOf(error)]) };
}
