import { AppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { FULL_RETRY_MS } from './queue-options.ts';

/** The one place where errors of the drivers become ours. Their text may quote data, so only class and code pass. */
export function unavailable(operation: string, address: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const label = describeCause(cause);
  return new AppError('QUEUE_UNAVAILABLE', `${operation} failed at ${address}: ${label}`, {
    facts: { operation, address, cause: label },
    cause,
  });
}

export function timedOut(operation: string, address: string, timeoutMs: number): AppError {
  const message = `${operation} got no answer from ${address} within ${timeoutMs} ms`;
  return new AppError('QUEUE_UNAVAILABLE', message, { facts: { operation, address, timeoutMs } });
}

export function dropped(scope: string): AppError {
  return new AppError('QUEUE_DROPPED', `queue ${scope} was dropped`, { facts: { scope } });
}

export function full(scope: string, limits: { readonly maxJobs: number; readonly maxBytes: number }): AppError {
  const message = `queue ${scope} is at its limit of ${limits.maxJobs} jobs or ${limits.maxBytes} bytes`;
  return new AppError('QUEUE_FULL', message, { facts: { scope, ...limits }, retryAfterMs: FULL_RETRY_MS });
}

export function leaseLost(name: string): AppError {
  return new AppError('LEASE_LOST', `the lease ${name} is not ours any more`, { facts: { lease: name } });
}

/** Settles like `promise`, but after `timeoutMs` rejects with what `onTimeout` returns; `promise` is then left to itself. */
export function withTimeout<T>(promise: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(onTimeout()), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
