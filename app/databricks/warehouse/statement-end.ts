import { AppError } from '../../errors/app-error.ts';
import type { CallContext, ClassifiedFailure } from './sql-failure.ts';

const OPERATION_STATES = ['CANCELED', 'CLOSED', 'ERROR', 'TIMEOUT', 'UNKNOWN'];

/** True when the error is the end of the statement itself: the driver says its state, or the server a class that only a statement has. */
export function isEnded(thrown: unknown, { error: { code, facts } }: ClassifiedFailure): boolean {
  const { errorCode } = (thrown ?? {}) as { errorCode?: unknown };
  if (typeof errorCode === 'string' && OPERATION_STATES.includes(errorCode)) return true;
  if (facts['errorClass'] === undefined || !code.startsWith('SQL_')) return false;
  return code !== 'SQL_STATEMENT_REFUSED' || String(facts['sqlState']).startsWith('42');
}

/** Refused without a reason: it may be the session, so another one is opened for the next call. */
export function isUnexplained({ error: { code, facts } }: ClassifiedFailure): boolean {
  return code === 'SQL_STATEMENT_REFUSED' && facts['errorClass'] === undefined;
}

/** Without a session nothing was sent, whatever became of the request for one. */
export function asNotOpened(failure: ClassifiedFailure): ClassifiedFailure {
  const { error } = failure;
  if (error.code !== 'WAREHOUSE_ANSWER_LOST') return { ...failure, executed: 'no' };
  const { message, facts, retryAfterMs } = error;
  const unreachable = new AppError('WAREHOUSE_UNREACHABLE', message, {
    facts,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  return { ...failure, error: unreachable, executed: 'no', isPassing: true };
}

/** The failure of a later call, once the statement was sent. */
export function lostBy({ error }: ClassifiedFailure, context: CallContext): AppError {
  const message = `${context.what}: the statement was sent, but its end is not known (${error.message})`;
  return new AppError('WAREHOUSE_ANSWER_LOST', message, { facts: error.facts, cause: error });
}

/** What it means that the waiting ended. @param nothingDone when it has not begun, or only reads */
export function gaveUp(context: CallContext, phase: 'opening' | 'pending' | 'running', nothingDone: boolean): ClassifiedFailure {
  const { what, table, statementId } = context;
  const facts = {
    ...(table === undefined ? {} : { table: table.join('.') }),
    ...(statementId === undefined ? {} : { statementId }),
  };
  const subject = `${what}${table === undefined ? '' : ` ${table.join('.')}`}`;
  const error =
    phase !== 'running' && nothingDone
      ? new AppError('WAREHOUSE_STARTING', `${subject}: the warehouse gave no answer in time; it may be starting`, { facts })
      : new AppError(
          'WAREHOUSE_ANSWER_LOST',
          `${subject}: ${phase === 'running' ? 'the statement did not end in time' : 'the statement still waited for the warehouse, which may be starting,'} and was cancelled; it may have been executed`,
          { facts },
        );
  return {
    error,
    executed: phase !== 'running' && nothingDone ? 'no' : 'unknown',
    isPassing: false,
    isSessionLost: false,
    isTokenRefused: false,
  };
}
