import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PendingEvent } from '../../../app/delivery/prepare-event.ts';
import { orderVersions } from '../../../app/delivery/version-order.ts';

function pending(key: string, resource: string | undefined, time: number, versionId = ''): PendingEvent {
  return {
    jobId: 'job',
    receivedAtMs: 0,
    stableKey: true,
    key,
    prepared: undefined,
    replayOf: undefined,
    source: { place: undefined, body: new Uint8Array() },
    version: resource === undefined ? undefined : { resource, lastUpdatedMicros: BigInt(time), versionId },
  };
}
const keys = (events: readonly PendingEvent[]): string[] => events.map((event) => event.key);

describe('I5: the versions of one resource are in order inside a batch', () => {
  it('sorts the versions of a resource into the places that the resource has', () => {
    const batch = [
      pending('a2', 'Patient/a', 2),
      pending('b1', 'Patient/b', 1),
      pending('a1', 'Patient/a', 1),
      pending('a3', 'Patient/a', 3),
    ];
    expect(keys(orderVersions(batch))).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('takes the longer, then the greater version id as the newer one at the same time', () => {
    const batch = [
      pending('v10', 'Patient/a', 1, '10'),
      pending('v9', 'Patient/a', 1, '9'),
      pending('v11', 'Patient/a', 1, '11'),
    ];
    expect(keys(orderVersions(batch))).toEqual(['v9', 'v10', 'v11']);
  });

  it('leaves events without a time where they are', () => {
    const batch = [
      pending('x', undefined, 0),
      pending('a2', 'Patient/a', 2),
      pending('y', undefined, 0),
      pending('a1', 'Patient/a', 1),
    ];
    expect(keys(orderVersions(batch))).toEqual(['x', 'a1', 'y', 'a2']);
  });

  it('never loses or doubles an event, and never moves a resource', () => {
    const event = fc.tuple(fc.constantFrom('Patient/a', 'Patient/b', undefined), fc.nat(5));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (list) => {
        const batch = list.map(([resource, time], index) => pending(String(index), resource, time));
        const ordered = orderVersions(batch);
        expect(keys(ordered).sort()).toEqual(keys(batch).sort());
        ordered.forEach((each, place) => expect(each.version?.resource).toBe(batch[place]!.version?.resource));
        for (const resource of ['Patient/a', 'Patient/b']) {
          const times = ordered
            .filter((each) => each.version?.resource === resource)
            .map((each) => Number(each.version!.lastUpdatedMicros));
          expect(times).toEqual([...times].sort((a, b) => a - b));
        }
      }),
    );
  });
});
