import { describe, expect, it } from '@jest/globals';
import type { AppError } from '../../../app/errors/app-error.ts';
import { type Adder, makeAdder } from '../../../app/queue/postgres-adder.ts';
import type { Database } from '../../../app/queue/postgres-database.ts';
import { ADD_OUTCOME } from '../../../app/queue/postgres-schema.ts';

interface Statement {
  readonly ids: readonly string[];
  answer(outcomes?: readonly number[]): void;
  fail(): void;
}

/** A database that answers when it is told to. */
function scriptedDatabase(): { database: Database; statements: Statement[] } {
  const statements: Statement[] = [];
  const query = (_operation: string, _text: string, values: readonly unknown[] = []): Promise<readonly never[]> => {
    const ids = values[1] as string[];
    return new Promise((resolve, reject) => {
      statements.push({
        ids,
        answer: (outcomes = ids.map(() => ADD_OUTCOME.added)) => resolve([{ outcomes }] as unknown as never[]),
        fail: () => reject(new Error('broken')),
      });
    });
  };
  return { database: { address: 'test', query } as unknown as Database, statements };
}

const LIMITS = { maxJobs: 10, maxBytes: 1_000 };
const request = (id: string, data = '{}', scope = 'scope'): Parameters<Adder>[0] => ({
  scope,
  id,
  name: 'notification',
  data,
  opts: {},
  addedAtMs: 1,
});
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: AppError) => error.code ?? error.message,
  );
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the adder', () => {
  it('sends the first job at once and what comes meanwhile together, in order', async () => {
    const { database, statements } = scriptedDatabase();
    const add = makeAdder(database, LIMITS, 1_000);
    const results = ['a', 'b', 'c'].map((id) => codeOf(add(request(id))));
    expect(statements.map(({ ids }) => ids)).toEqual([['a']]);
    statements[0]?.answer();
    await settle();
    expect(statements.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c']]);
    statements[1]?.answer();
    expect(await Promise.all(results)).toEqual(['resolved', 'resolved', 'resolved']);
  });

  it('gives each job its own outcome', async () => {
    const { database, statements } = scriptedDatabase();
    const add = makeAdder(database, LIMITS, 1_000);
    const first = codeOf(add(request('first')));
    const others = ['a', 'b', 'c'].map((id) => codeOf(add(request(id))));
    statements[0]?.answer();
    await settle();
    statements[1]?.answer([ADD_OUTCOME.full, ADD_OUTCOME.added, ADD_OUTCOME.dropped]);
    expect(await Promise.all([first, ...others])).toEqual(['resolved', 'QUEUE_FULL', 'resolved', 'QUEUE_DROPPED']);
  });

  it('fails a whole group that the database fails, and goes on with the next', async () => {
    const { database, statements } = scriptedDatabase();
    const add = makeAdder(database, LIMITS, 1_000);
    const first = codeOf(add(request('a')));
    const second = codeOf(add(request('b')));
    statements[0]?.fail();
    expect(await first).toBe('broken');
    statements[1]?.answer();
    expect(await second).toBe('resolved');
  });

  it('takes a job that runs out of time out of the line', async () => {
    const { database, statements } = scriptedDatabase();
    const add = makeAdder(database, LIMITS, 20);
    const results = ['sent', 'waiting'].map((id) => codeOf(add(request(id))));
    expect(await Promise.all(results)).toEqual(['QUEUE_UNAVAILABLE', 'QUEUE_UNAVAILABLE']);
    const late = codeOf(add(request('late')));
    statements[0]?.answer();
    await settle();
    expect(statements.map(({ ids }) => ids)).toEqual([['sent'], ['late']]);
    statements[1]?.answer();
    expect(await late).toBe('resolved');
  });

  it('bounds a group in jobs and in size, but sends a huge job alone', async () => {
    const { database, statements } = scriptedDatabase();
    const add = makeAdder(database, LIMITS, 1_000);
    const results = [codeOf(add(request('first')))];
    for (let n = 0; n < 70; n++) results.push(codeOf(add(request(`small-${n}`))));
    results.push(codeOf(add(request('huge', 'x'.repeat(5 << 20)))), codeOf(add(request('last'))));
    for (let n = 0; n < 5; n++) {
      statements[n]?.answer();
      await settle();
    }
    await Promise.all(results);
    expect(statements.map(({ ids }) => ids.length)).toEqual([1, 64, 6, 1, 1]);
    expect(statements.flatMap(({ ids }) => ids).slice(-2)).toEqual(['huge', 'last']);
  });
});
