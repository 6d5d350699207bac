import { AppError } from '../errors/app-error.ts';
import type { Database } from './postgres-database.ts';
import { ADD_OUTCOME } from './postgres-schema.ts';
import { dropped, full, timedOut, withTimeout } from './queue-failure.ts';

/** One job as BullMQ hands it to a backend. */
export interface AddRequest {
  readonly scope: string;
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly data: string;
  readonly opts: object;
  readonly addedAtMs: number;
}

/** Stores jobs; resolved = committed. @throws AppError QUEUE_FULL, QUEUE_DROPPED, QUEUE_UNAVAILABLE */
export type Adder = (request: AddRequest) => Promise<void>;

interface Waiting {
  readonly request: AddRequest;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const MAX_GROUP_JOBS = 64;
const MAX_GROUP_CHARS = 4 << 20;

/**
 * Groups what arrives while a statement is under way into the next one: BullMQ notifies on every add, PostgreSQL lets only one
 * notifying transaction of a database commit at a time, so single adds would queue up for one disk flush each. Nobody waits for a group to
 * fill. An add that runs out of time leaves the line, so nothing is stored behind the caller's back but what was already sent.
 */
export function makeAdder(
  database: Database,
  limits: { readonly maxJobs: number; readonly maxBytes: number },
  timeoutMs: number,
  maxStatements = 1,
): Adder {
  const line: Waiting[] = [];
  let statements = 0;

  const takeGroup = (): Waiting[] => {
    let jobs = 0;
    let chars = 0;
    for (const { request } of line) {
      chars += request.data.length;
      if (jobs === MAX_GROUP_JOBS || (jobs > 0 && chars > MAX_GROUP_CHARS)) break;
      jobs++;
    }
    return line.splice(0, jobs);
  };

  const send = async (): Promise<void> => {
    const group = takeGroup();
    statements++;
    try {
      const outcomes = await storeGroup(database, limits, group);
      for (const [index, { request, resolve, reject }] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome === ADD_OUTCOME.added) resolve();
        else reject(outcome === ADD_OUTCOME.full ? full(request.scope, limits) : dropped(request.scope));
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      statements--;
      if (line.length > 0) void send();
    }
  };

  return (request) => {
    let waiting: Waiting;
    const stored = new Promise<void>((resolve, reject) => {
      waiting = { request, resolve, reject };
      line.push(waiting);
    });
    if (statements < maxStatements) void send();
    return withTimeout(stored, timeoutMs, () => {
      const place = line.indexOf(waiting);
      if (place !== -1) line.splice(place, 1);
      return timedOut('add', database.address, timeoutMs);
    });
  };
}

async function storeGroup(
  database: Database,
  { maxJobs, maxBytes }: { readonly maxJobs: number; readonly maxBytes: number },
  group: readonly Waiting[],
): Promise<readonly number[]> {
  const requests = group.map(({ request }) => request);
  const [row] = await database.query<{ outcomes: number[] }>(
    'add',
    'SELECT lakehouse.add_jobs($1, $2, $3, $4, $5, $6, $7, $8) AS outcomes',
    [
      requests.map(({ scope }) => scope),
      requests.map(({ id }) => id),
      requests.map(({ name }) => name),
      requests.map(({ data }) => data),
      requests.map(({ opts }) => JSON.stringify(opts)),
      requests.map(({ addedAtMs }) => addedAtMs),
      maxJobs,
      maxBytes,
    ],
  );
  if (row?.outcomes.length !== group.length) throw new AppError('INTERNAL', 'add_jobs answered for another number of jobs');
  return row.outcomes;
}
