import { describe, expect, it } from '@jest/globals';
import { deliveryKey, eventKey, versionKey } from '../../../app/delivery/event-key.ts';
import type { ChangeEvent } from '../../../app/fhir/notification.ts';

const EVENT: ChangeEvent = {
  action: 'update',
  resourceType: 'Patient',
  id: 'p1',
  versionId: '7',
  hasOtherMeta: false,
  lastUpdated: '2026-01-01T00:00:00.123456Z',
  lastUpdatedMicros: 1n,
  resource: undefined,
  correlationId: undefined,
};

describe('E1: the key of an event', () => {
  it('has 16 characters and does not depend on how the event was delivered', () => {
    expect(eventKey(EVENT)).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(eventKey({ ...EVENT, correlationId: 'x', action: 'write' })).toBe(eventKey(EVENT));
  });

  it.each([
    ['type', { resourceType: 'Person' }],
    ['id', { id: 'p2' }],
    ['version', { versionId: '8' }],
    ['time', { lastUpdated: '2026-01-01T00:00:00.123457Z' }],
    ['deletion', { action: 'delete' as const }],
  ])('changes with the %s', (_name, change) => {
    expect(eventKey({ ...EVENT, ...change })).not.toBe(eventKey(EVENT));
  });

  it('tells parts that look alike when joined apart', () => {
    expect(eventKey({ ...EVENT, id: 'a', versionId: 'b/c' })).not.toBe(eventKey({ ...EVENT, id: 'a/b', versionId: 'c' }));
  });

  it('is the key of the write for a delete that carries the state before', () => {
    expect(versionKey({ ...EVENT, action: 'delete' }, false)).toBe(eventKey(EVENT));
  });

  it('is missing when the event has neither version nor time; then the place in its delivery names it', () => {
    expect(eventKey({ ...EVENT, versionId: undefined, lastUpdated: undefined })).toBeUndefined();
    expect(deliveryKey('job', 0)).not.toBe(deliveryKey('job', 1));
    expect(deliveryKey('job', 0)).toBe(deliveryKey('job', 0));
  });
});
