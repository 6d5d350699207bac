import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { isAppError } from '../../../app/errors/app-error.ts';
import { parseInstantMicros } from '../../../app/fhir/instant.ts';
import { parseNotification } from '../../../app/fhir/notification.ts';

const ACTION = 'http://health-samurai.io/fhir/core/StructureDefinition/bundle-entryActionCode';
const VERSION = 'http://health-samurai.io/fhir/core/StructureDefinition/bundle-entryVersionId';

function bundle(entries: readonly unknown[], focuses: readonly unknown[] = []): Uint8Array {
  const status = {
    resource: { resourceType: 'AidboxSubscriptionStatus', type: 'event-notification', notificationEvent: focuses },
  };
  return bytes({ resourceType: 'Bundle', type: 'history', timestamp: '2026-08-03T09:15:02Z', entry: [status, ...entries] });
}
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const first = (body: Uint8Array) => {
  const [event] = parseNotification(body).events;
  if (event?.kind !== 'event') throw new Error(`no event: ${JSON.stringify(event)}`);
  return event.event;
};
const patient = { resourceType: 'Patient', id: 'p1', meta: { versionId: '9', lastUpdated: '2026-08-03T09:15:01.204518Z' } };

describe('parseNotification', () => {
  it('reads a resource with its version, time, action and correlation id', () => {
    const body = bundle(
      [
        {
          fullUrl: 'http://a/fhir/Patient/p1',
          request: { method: 'POST', url: '/fhir/Patient' },
          resource: patient,
          extension: [{ url: ACTION, valueCode: 'update' }],
        },
      ],
      [{ eventNumber: 1, focus: { reference: 'Patient/p1' }, correlationId: 'job-1' }],
    );
    expect(first(body)).toMatchObject({
      action: 'update',
      resourceType: 'Patient',
      id: 'p1',
      versionId: '9',
      lastUpdatedMicros: 1785748501204518n,
      correlationId: 'job-1',
    });
  });

  it('takes a POST without an action for a write, never for a create', () => {
    expect(first(bundle([{ request: { method: 'POST', url: '/fhir/Patient' }, resource: patient }])).action).toBe('write');
  });

  it.each([
    [
      'the action extension',
      {
        fullUrl: 'http://a/fhir/Patient/p1',
        request: { method: 'POST' },
        extension: [
          { url: ACTION, valueCode: 'delete' },
          { url: VERSION, valueId: '12' },
        ],
      },
    ],
    [
      'the method',
      {
        fullUrl: 'http://a/fhir/Patient/p1',
        request: { method: 'DELETE', url: '/fhir/Patient' },
        extension: [{ url: VERSION, valueId: '12' }],
      },
    ],
  ])('knows a delete without resource by %s', (_name, entry) => {
    expect(first(bundle([entry]))).toMatchObject({ action: 'delete', id: 'p1', versionId: '12', resource: undefined });
  });

  it.each([
    ['delete', '12', { versionId: '12', hasOtherMeta: true, lastUpdated: patient.meta.lastUpdated }],
    ['delete', '9', { versionId: '9', hasOtherMeta: false }],
    ['update', '12', { versionId: '9', hasOtherMeta: false }],
  ])('a %s whose extension names version %s while meta has 9', (action, version, expected) => {
    const extension = [
      { url: ACTION, valueCode: action },
      { url: VERSION, valueId: version },
    ];
    expect(first(bundle([{ resource: patient, extension }]))).toMatchObject(expected);
  });

  it('takes the identity from the focus when nothing else tells it, history references included', () => {
    const body = bundle([{ request: { method: 'DELETE' } }], [{ focus: { reference: 'Patient/p7/_history/3' } }]);
    expect(first(body)).toMatchObject({ resourceType: 'Patient', id: 'p7' });
  });

  it('puts an entry that names no resource beside the good ones', () => {
    const { events } = parseNotification(bundle([{ request: {} }, { resource: patient }]));
    expect(events.map((event) => event.kind)).toEqual(['unreadable', 'event']);
  });

  it('unpacks a body that was compressed on the way', () => {
    expect(first(gzipSync(bundle([{ resource: patient }]))).id).toBe('p1');
    expect(() => parseNotification(gzipSync('x').subarray(0, 15))).toThrow(
      expect.objectContaining({ code: 'NOTIFICATION_INVALID' }),
    );
  });

  it.each([
    ['no JSON', new TextEncoder().encode('{"resourceType":')],
    ['no UTF-8', Uint8Array.of(0xff, 0xfe, 0x00)],
    ['another resource', bytes({ resourceType: 'Patient' })],
    ['a Bundle without entries', bytes({ resourceType: 'Bundle' })],
    ['a list', bytes([])],
    ['nothing', new Uint8Array()],
  ])('refuses %s as NOTIFICATION_INVALID', (_name, body) => {
    expect(() => parseNotification(body)).toThrow(expect.objectContaining({ code: 'NOTIFICATION_INVALID' }));
  });

  it('never throws anything but NOTIFICATION_INVALID, and never quotes the body', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parseNotification(bytes({ resourceType: 'Bundle', entry: [value], canary: 'CANARY' }));
        } catch (error) {
          expect(isAppError(error, 'NOTIFICATION_INVALID')).toBe(true);
          expect(String(error)).not.toContain('CANARY');
        }
      }),
    );
  });
});

describe('parseInstantMicros', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    ['2026-08-03T09:15:01.204518Z', 1785748501204518n],
    ['2026-08-03T11:15:01.2045189+02:00', 1785748501204518n],
    ['2016-12-31T23:59:60Z', 1483228799000000n],
  ])('%s is %s µs', (text, micros) => {
    expect(parseInstantMicros(text)).toBe(micros);
  });

  it.each(['2026-08-03', '2026-13-03T00:00:00Z', 'yesterday', '2026-08-03T09:15:01'])('%s is no instant', (text) => {
    expect(parseInstantMicros(text)).toBeUndefined();
  });
});
