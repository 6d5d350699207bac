import { AppError } from '../../errors/app-error.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../log.ts';
import { loadDriver, parseWarehouseAddress, type Driver, type DriverOptions, type Operation, type Session } from './driver.ts';
import { readDriverFailure } from './driver-failure.ts';
import { GaveUp, Patience } from './patience.ts';
import { asNotOpened, gaveUp, isEnded, isUnexplained, lostBy } from './statement-end.ts';
import { classifyFailure, type CallContext, type ClassifiedFailure } from './sql-failure.ts';

export interface WarehouseOptions extends Omit<DriverOptions, 'requestTimeoutMs'> {
  /** Tells that a token was refused, so that the next `getToken` makes a new one. */
  readonly dropToken: (token: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long one call may take, waiting for a warehouse that starts included. */
  readonly statementTimeoutMs?: number;
}

export interface StatementOptions {
  /** What the statement is for, in our own words: for messages. */
  readonly context: CallContext;
  /** Values of `:name`; all texts. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Ends the waiting; the statement may still be executed. */
  readonly signal?: AbortSignal;
}

/** A SQL warehouse. All failures are AppErrors of app/errors/warehouse.ts, or what `getToken` throws. */
export interface Warehouse {
  /** Rows of a statement that only reads; all its columns must be text. Repeated as often as needed. */
  query(sql: string, options: StatementOptions): Promise<readonly Readonly<Record<string, string | null>>[]>;
  /**
   * Runs a statement to its end. When it certainly was not executed it is sent again; when that is not known, only if it is `repeatable`,
   * and once.
   *
   * @throws AppError WAREHOUSE_ANSWER_LOST when it may have been executed: the caller decides whether to repeat it
   */
  execute(sql: string, options: StatementOptions & { readonly repeatable: boolean }): Promise<void>;
  /** Ends all calls, the session and the connections. */
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const PAUSE = { firstMs: 500, maxMs: 10_000 };
/** A warehouse that starts is waited for as long as there is time; a network that is away only for some tries. */
const MAX_UNREACHABLE_TRIES = 3;
const CLOSE_TIMEOUT_MS = 5_000;
const PENDING_STATES: readonly unknown[] = [0, 7]; // INITIALIZED, PENDING (contract of the protocol, TOperationState)

/**
 * Opens a warehouse; nothing is sent before the first call. One session serves all calls and is opened again when the server has forgotten it.
 *
 * @throws AppError WAREHOUSE_ADDRESS_WRONG when workspace URL or warehouse id are malformed
 */
export function openWarehouse(options: WarehouseOptions): Warehouse {
  const { clock, log, statementTimeoutMs = DEFAULT_TIMEOUT_MS } = options;
  parseWarehouseAddress(options.workspaceUrl, options.warehouseId);
  const closing = new AbortController();
  const background = new Set<Promise<unknown>>();
  let lastToken: string | undefined;
  let driver: Promise<Driver> | undefined;
  let session: Promise<Session> | undefined;

  const getToken = async (): Promise<string> => (lastToken = await options.getToken());
  const renewToken = (): void => {
    if (lastToken !== undefined) options.dropToken(lastToken);
  };
  const inBackground = (work: Promise<unknown>): void => {
    const settled = work.catch(() => undefined).finally(() => background.delete(settled));
    background.add(settled);
  };

  async function openSession(): Promise<Session> {
    driver ??= loadDriver({ ...options, getToken, requestTimeoutMs: statementTimeoutMs });
    const opened = await (
      await driver
    ).openSession({
      // Without ANSI a value that does not fit becomes null silently; it is the default, but can be changed for a whole workspace.
      ANSI_MODE: 'true',
      STATEMENT_TIMEOUT: String(Math.ceil(statementTimeoutMs / 1_000)),
    });
    log.debug({ event: 'warehouse.session_opened' });
    return opened;
  }

  /** The one session; calls that come while it opens wait for the same one, also after others gave up. */
  function getSession(): Promise<Session> {
    if (session === undefined) {
      const opening = openSession();
      session = opening;
      opening.catch(() => {
        if (session === opening) session = undefined;
      });
    }
    return session;
  }

  function forgetSession(lost: Promise<Session> | undefined): void {
    if (session === lost) session = undefined;
    if (lost !== undefined) inBackground(lost.then((found) => found.close()));
  }

  async function classify(error: unknown, context: CallContext): Promise<ClassifiedFailure> {
    if (error instanceof AppError) {
      return { error, executed: 'no', isPassing: false, isSessionLost: false, isTokenRefused: false };
    }
    return classifyFailure(await readDriverFailure(error, clock.now()), context, error);
  }

  /** One attempt. @throws ClassifiedFailure as a `Failed` */
  async function attempt<T>(
    sql: string,
    { context, parameters = {} }: StatementOptions,
    patience: Patience,
    read: (driver: Driver, operation: Operation) => Promise<T>,
    readsOnly: boolean,
  ): Promise<T> {
    const used = getSession();
    let opened: Session;
    try {
      opened = await patience.await(used);
    } catch (error) {
      if (error instanceof GaveUp) throw new Failed(gaveUp(context, 'opening', true));
      throw new Failed(asNotOpened(await classify(error, { ...context, what: `open a session to ${context.what}` })));
    }
    const loaded = await (driver as Promise<Driver>);
    const sent = loaded.execute(opened, sql, parameters);
    let operation: Operation | undefined;
    let isPending = true;
    try {
      operation = await patience.await(sent);
      const running = operation;
      const finish = (): Promise<void> =>
        patience.await(
          running.finished({
            callback: ({ operationState }) => (isPending = PENDING_STATES.includes(operationState)),
          }),
        );
      try {
        await finish();
      } catch (error) {
        // A token that is refused while we ask for the state says nothing of the statement.
        if (error instanceof GaveUp || !(await classify(error, context)).isTokenRefused) throw error;
        renewToken();
        await finish();
      }
      return await patience.await(read(loaded, running));
    } catch (error) {
      const known = operation === undefined ? context : { ...context, statementId: operation.id };
      if (error instanceof GaveUp) {
        inBackground(sent.then((late) => late.cancel()));
        throw new Failed(gaveUp(known, operation !== undefined && !isPending ? 'running' : 'pending', readsOnly));
      }
      const failure = await classify(error, known);
      if (failure.isSessionLost || isUnexplained(failure)) forgetSession(used);
      // Once the server has the statement, no status of a later call proves that it does not run; its own error does.
      const isOpen = operation !== undefined && !readsOnly && !isEnded(error, failure) && failure.executed === 'no';
      throw new Failed(isOpen ? { ...failure, executed: 'unknown', isPassing: false, error: lostBy(failure, known) } : failure);
    } finally {
      if (operation !== undefined) inBackground(operation.close());
    }
  }

  async function run<T>(
    sql: string,
    given: StatementOptions,
    read: (driver: Driver, operation: Operation) => Promise<T>,
    kind: Kind,
  ): Promise<T> {
    if (closing.signal.aborted)
      throw new AppError('WAREHOUSE_UNREACHABLE', `${given.context.what}: the connection was closed by the product`);
    const patience = new Patience(clock, statementTimeoutMs, [given.signal, closing.signal]);
    try {
      return await runWithin(patience, sql, given, read, kind);
    } finally {
      patience.end();
    }
  }

  async function runWithin<T>(
    patience: Patience,
    sql: string,
    given: StatementOptions,
    read: (driver: Driver, operation: Operation) => Promise<T>,
    { repeatable, readsOnly }: Kind,
  ): Promise<T> {
    let tries = 0;
    const done = { token: false, session: false, unknown: false };
    for (;;) {
      try {
        return await attempt(sql, given, patience, read, readsOnly);
      } catch (thrown) {
        if (!(thrown instanceof Failed)) throw thrown;
        const { failure } = thrown;
        const { error } = failure;
        if (patience.isOver) throw error;
        if (failure.executed === 'unknown') {
          if (!repeatable || done.unknown) throw error;
          done.unknown = true;
        } else if (failure.isTokenRefused && !done.token) {
          renewToken();
          done.token = true;
          continue;
        } else if (failure.isSessionLost && !done.session) {
          done.session = true;
          continue;
        } else if (!failure.isPassing || (error.code === 'WAREHOUSE_UNREACHABLE' && tries >= MAX_UNREACHABLE_TRIES)) {
          throw error;
        }
        if (tries === 0) log.info({ event: 'warehouse.waiting', code: error.code, message: error.message });
        if (!(await patience.pause(Math.max(backoffMs(tries, PAUSE), error.retryAfterMs ?? 0)))) throw error;
        tries += 1;
      }
    }
  }

  return {
    query: (sql, given) =>
      run(sql, given, (loaded, operation) => loaded.fetchTexts(operation), { repeatable: true, readsOnly: true }),
    execute: (sql, given) => run(sql, given, async () => undefined, { repeatable: given.repeatable, readsOnly: false }),
    close: async () => {
      closing.abort();
      const loaded = await driver?.catch(() => undefined);
      if (loaded === undefined) return;
      await bounded(clock, Promise.all(background));
      await bounded(clock, loaded.close());
      loaded.destroy();
    },
  };
}

/** Waits for the end of `work`, whichever it is, but not for ever: the server may be away. */
async function bounded(clock: Clock, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work.catch(() => undefined), clock.sleep(CLOSE_TIMEOUT_MS, done.signal)]);
  done.abort();
}

/** How a statement may be treated. */
interface Kind {
  readonly repeatable: boolean;
  readonly readsOnly: boolean;
}

/** Carries a classified failure out of an attempt. */
class Failed extends Error {
  readonly failure: ClassifiedFailure;
  constructor(failure: ClassifiedFailure) {
    super('attempt failed');
    this.failure = failure;
  }
}
