import { ERRORS, type ErrorCode } from './catalogue.ts';

/** Values that are safe to log and to show: counts, versions, names given by the operator. Never resource content, never a secret. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean>>;

/** What the caller may do about an error: try again later, or nothing until a person acts. */
export type Retry = 'later' | 'never';

/**
 * The one error class of the product. `message` says what was found and what was expected; `action` says what to do.
 * Third-party errors are wrapped once, at the edge, as `cause`; the cause is never logged as text.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;
  /** Lower bound for the next attempt in milliseconds, when the other side named one (`Retry-After`). */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: { facts?: ErrorFacts; cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.facts = options.facts ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  get action(): string {
    return ERRORS[this.code].action;
  }

  get retry(): Retry {
    return ERRORS[this.code].retry;
  }
}

/** True for an AppError of one of `codes`, or for any AppError when none is given. */
export function isAppError(value: unknown, ...codes: ErrorCode[]): value is AppError {
  return value instanceof AppError && (codes.length === 0 || codes.includes(value.code));
}
