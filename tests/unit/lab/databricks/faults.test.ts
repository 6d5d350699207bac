import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../helpers/eventually.ts';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import { NAMED_ERRORS } from '../../../lab/databricks/taxonomy.ts';
import { askToken, insert, mintPlain, mintScoped, PLAIN_FORM, send, startLab, TABLE } from './client.ts';

/** Section 7: every error can be called up. And the journal, which tells who called what. */

let lab: DatabricksLab;
afterEach(() => lab.close());

const accepted = (): number => lab.writeAheadLog.accepted.get(TABLE) ?? 0;
const rows = [{ id: 'a' }];

describe('faults', () => {
  const named = Object.entries(NAMED_ERRORS).flatMap(([service, errors]) =>
    Object.keys(errors).map((name) => [service, name] as const),
  );

  it.each(named)('7.1, 7.2 %s: %s strikes once', async (service, error) => {
    lab = await startLab();
    lab.warehouses.add('w1');
    const [plain, scoped] = [await mintPlain(lab), await mintScoped(lab)];
    const bearer = { headers: { authorization: `Bearer ${plain}` } };
    const call = () =>
      service === 'token'
        ? askToken(lab, PLAIN_FORM)
        : service === 'zerobus'
          ? insert(lab, scoped, rows)
          : send(
              `${lab.workspaceUrl}${service === 'unity' ? `/api/2.1/unity-catalog/tables/${TABLE}` : '/api/2.0/sql/warehouses/w1'}`,
              bearer,
            );
    lab.registry.grants.grant('sp-1', 'WAREHOUSE', 'w1', 'CAN USE');
    lab.faults.add({ service: service as 'token', error });
    const expected = NAMED_ERRORS[service as 'token']?.[error];
    const struck = await call();
    expect(struck.status).toBe(expected?.status);
    expect(struck.text).toBe(typeof expected?.body === 'object' ? JSON.stringify(expected.body) : (expected?.body ?? ''));
    for (const [name, value] of Object.entries(expected?.headers ?? {})) expect(struck.headers[name]).toBe(value);
    expect((await call()).status).toBe(200);
    expect(lab.journal.entries().filter((entry) => entry.fault === error)).toHaveLength(1);
  });

  it('a connection cut before the rows are taken, and one cut after: both look the same to the client', async () => {
    lab = await startLab();
    const token = await mintScoped(lab);
    lab.faults.add({ service: 'zerobus', cut: 'before' });
    await expect(insert(lab, token, rows)).rejects.toThrow();
    expect(accepted()).toBe(0);
    lab.faults.add({ service: 'zerobus', cut: 'after' });
    await expect(insert(lab, token, rows)).rejects.toThrow();
    expect(accepted()).toBe(1);
    expect(lab.journal.entries({ service: 'zerobus' }).map(({ status, rows: taken, fault }) => [status, taken, fault])).toEqual([
      [0, undefined, 'cut before'],
      [0, 1, 'cut after'],
    ]);
  });

  it.each(['500', '503', '504'])('rows are taken although the answer is %s', async (error) => {
    lab = await startLab();
    lab.faults.add({ service: 'zerobus', error, afterEffect: true });
    expect((await insert(lab, await mintScoped(lab), rows)).status).toBe(Number(error));
    expect(accepted()).toBe(1);
  });

  it('no answer at all, until the client gives up', async () => {
    lab = await startLab();
    const token = await mintScoped(lab);
    lab.faults.add({ service: 'zerobus', hang: 'after' });
    const signal = AbortSignal.timeout(200);
    const url = `${lab.zerobusUrl}/zerobus/v1/tables/${TABLE}/insert`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    await expect(fetch(url, { method: 'POST', headers, body: JSON.stringify(rows), signal })).rejects.toThrow(/time/i);
    expect(accepted()).toBe(1);
  });

  it('strike by path and method, after some that pass, as often as told, and until removed', async () => {
    lab = await startLab();
    const token = await mintScoped(lab);
    const statuses = async (count: number): Promise<(number | undefined)[]> => {
      const found: (number | undefined)[] = [];
      for (let at = 0; at < count; at++) found.push((await insert(lab, token, rows)).status);
      return found;
    };
    lab.faults.add({ service: 'zerobus', path: 'other', error: '500' });
    lab.faults.add({ service: 'zerobus', method: 'GET', error: '500' });
    expect(await statuses(1)).toEqual([200]);
    lab.faults.clear();
    lab.faults.add({ service: 'zerobus', path: 'patient', skip: 1, count: 2, answer: { status: 418, body: { any: 'thing' } } });
    expect(await statuses(4)).toEqual([200, 418, 418, 200]);
    const id = lab.faults.add({ service: 'zerobus', count: null, error: '503' });
    expect(await statuses(3)).toEqual([503, 503, 503]);
    lab.faults.remove(id);
    expect(await statuses(1)).toEqual([200]);
  });

  it('a late answer holds up nobody else', async () => {
    lab = await startLab();
    const token = await mintScoped(lab);
    const late = lab.faults.add({ service: 'zerobus', delayMs: 300 });
    const slow = insert(lab, token, [...rows, ...rows]);
    await eventually(() => expect(lab.faults.list.map(({ id }) => id)).not.toContain(late)); // it came in
    expect((await insert(lab, token, rows)).status).toBe(200);
    expect((await slow).status).toBe(200);
    expect(lab.journal.entries({ service: 'zerobus' }).map((entry) => entry.rows)).toEqual([1, 2]);
  });

  it('latency is for every answer', async () => {
    lab = await startLab([['id', 'STRING']], { zerobusLatencyMs: 20 });
    const token = await mintScoped(lab);
    const answers = await Promise.all(Array.from({ length: 20 }, () => insert(lab, token, rows)));
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    expect(Math.min(...lab.journal.entries({ service: 'zerobus' }).map((entry) => entry.durationMs))).toBeGreaterThan(15);
  });

  it.each([
    [{ service: 'zerobus' }, 'exactly one of'],
    [{ service: 'zerobus', error: '500', cut: 'before' }, 'exactly one of'],
    [{ service: 'zerobus', error: 'no such' }, "there is no error 'no such' of zerobus; there are:"],
  ] as const)('%j is refused', async (fault, message) => {
    lab = await startLab();
    expect(() => lab.faults.add(fault)).toThrow(message);
  });
});

describe('journal', () => {
  it('tells calls of each service after a mark, with principal, token and rows, and no secret', async () => {
    lab = await startLab();
    const token = await mintScoped(lab);
    const mark = lab.journal.mark;
    await insert(lab, token, [...rows, ...rows]);
    await insert(lab, token, [{ no: 1 }]);
    const seen = lab.journal.entries({ after: mark });
    expect(seen).toMatchObject([
      { service: 'zerobus', method: 'POST', status: 200, rows: 2, principal: 'sp-1', token: 1, tokenKind: 'zerobus' },
      { service: 'zerobus', status: 400, error: 'INVALID_PARAMETER_VALUE' },
    ]);
    const all = JSON.stringify(lab.journal.entries());
    expect(all).not.toContain(token);
    expect(all).not.toContain('top secret');
    expect([lab.journal.count('unity'), lab.journal.count('warehouse'), lab.journal.count('token')]).toEqual([0, 0, 1]);
  });

  it('keeps the newest entries, and counts them all', async () => {
    lab = await startLab([['id', 'STRING']], {}, { journalEntries: 2 });
    const token = await mintScoped(lab);
    for (let at = 0; at < 9; at++) await insert(lab, token, rows);
    expect(lab.journal.entries().length).toBeLessThanOrEqual(4);
    expect(lab.journal.count('zerobus')).toBe(9);
    expect(Object.values(lab.journal.totals.rows)).toEqual([9]);
  });
});
