import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planRequests, runPlan, splitRows, type EncodedEvent } from '../../../../app/writers/managed/plan-requests.ts';

const LIMITS = { maxRows: 10, maxBytes: 1_000, maxRequests: 4, splitsEvents: true };

function anEvent(index: number, resource: string | undefined, rowCount: number): EncodedEvent {
  const rows = Array.from({ length: rowCount }, (_, row) => `{"n":${index},"row":${row}}`);
  const event = { key: `key-${index}`, resource, coverage: { kind: 'ever' }, content: { kind: 'rows', rows: [] } } as const;
  return { event, rows, bytes: rows.reduce((sum, row) => sum + row.length + 1, 0) };
}

const events = fc
  .array(
    fc.record({
      resource: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }),
      rows: fc.integer({ min: 1, max: 12 }),
    }),
    {
      maxLength: 80,
    },
  )
  .map((list) =>
    list.map(({ resource, rows }, index) => anEvent(index, resource === undefined ? undefined : `Patient/${resource}`, rows)),
  );

describe('the plan of requests', () => {
  it('keeps every event once and in order, within the limits unless an event alone is larger', () => {
    fc.assert(
      fc.property(events, (list) => {
        const plan = planRequests(list, LIMITS);
        expect(plan.flatMap((request) => request.events)).toEqual(list);
        for (const { events: part } of plan) {
          const rows = part.reduce((sum, event) => sum + event.rows.length, 0);
          expect(part.length === 1 || rows <= LIMITS.maxRows).toBe(true);
        }
      }),
    );
  });

  it('lets no version of a resource begin before the requests with earlier ones have ended, and never more beside each other than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.infiniteStream(fc.integer({ min: 0, max: 3 })), async (list, delays) => {
        const ended = new Set<EncodedEvent>();
        let running = 0;
        const failures = await runPlan(
          planRequests(list, LIMITS),
          () => LIMITS.maxRequests,
          async (request) => {
            running += 1;
            expect(running).toBeLessThanOrEqual(LIMITS.maxRequests);
            for (const { event } of request.events) {
              const earlier = list.filter(
                (other) => other.event.resource !== undefined && other.event.resource === event.resource,
              );
              const own = earlier.findIndex((other) => other.event === event);
              for (const other of earlier.slice(0, Math.max(0, own)))
                expect(ended.has(other) || request.events.includes(other)).toBe(true);
            }
            const turns = delays.next().value as number;
            for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
            for (const event of request.events) ended.add(event);
            running -= 1;
          },
        );
        expect(failures).toEqual([]);
        expect(ended.size).toBe(list.length);
      }),
      { numRuns: 60 },
    );
  });

  it('begins nothing after a failure, and waits for what is under way', async () => {
    const list = Array.from({ length: 100 }, (_, index) => anEvent(index, undefined, 10));
    let begun = 0;
    let ended = 0;
    const failures = await runPlan(
      planRequests(list, LIMITS),
      () => LIMITS.maxRequests,
      async () => {
        begun += 1;
        const isFirst = begun === 1;
        await new Promise((resolve) => setImmediate(resolve));
        ended += 1;
        if (isFirst) throw new Error('first');
      },
    );
    expect(failures).toHaveLength(1);
    expect(begun).toBeLessThan(10);
    expect(ended).toBe(begun);
  });

  it('splits the rows of one large event without losing one', () => {
    const { rows } = anEvent(1, 'Patient/1', 37);
    const parts = splitRows(rows, LIMITS);
    expect(parts.flat()).toEqual(rows);
    expect(parts.every((part) => part.length <= LIMITS.maxRows)).toBe(true);
  });
});
