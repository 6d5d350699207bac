import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { deep, good, INVALID, withMember, type NotificationCase } from './notification-case.ts';
import { aBundle, aNotification, anEntry, aPatient, without } from './patients.ts';

const UNREADABLE = { quarantined: ['ENTRY_UNREADABLE'] };
const WITHOUT_CONTENT = { quarantined: ['DELETE_WITHOUT_CONTENT'] };

const named = (resource: Record<string, unknown>): string =>
  aNotification({ ...anEntry('create', resource), fullUrl: 'http://aidbox/fhir/Patient/named-1' });

/** Resources that lack what identifies them or their version. */
const IDENTITY: readonly NotificationCase[] = [
  {
    what: 'a resource without id, its entry without fullUrl',
    body: () => aNotification({ resource: without(aPatient(), 'id'), request: { method: 'POST', url: '/fhir/Patient' } }),
    ...UNREADABLE,
  },
  { what: 'an id that is a number', body: () => aNotification({ resource: aPatient({ id: 5 }) }), ...UNREADABLE },
  { what: 'an id that is empty', body: () => aNotification({ resource: aPatient({ id: '' }) }), ...UNREADABLE },
  {
    what: 'a resource without its type',
    body: () => aNotification({ resource: without(aPatient(), 'resourceType') }),
    ...UNREADABLE,
  },
  { what: 'a resource without id, named by fullUrl', body: () => named(without(aPatient(), 'id')), committed: 1 },
  {
    what: 'a resource without version',
    body: () => aNotification(without(anEntry('create', aPatient({}, { versionId: undefined })), 'extension')),
    committed: 1,
  },
  {
    what: 'a resource without time',
    body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: undefined }))),
    committed: 1,
  },
  {
    what: 'a resource without meta',
    body: () => aNotification(without(anEntry('create', without(aPatient(), 'meta')), 'extension')),
    committed: 1,
  },
  {
    what: 'a meta that is a text',
    body: () => aNotification(without(anEntry('create', aPatient({ meta: 'none' })), 'extension')),
    committed: 1,
  },
  {
    what: 'a version that is a number',
    body: () => aNotification(anEntry('create', aPatient({}, { versionId: 7 }))),
    committed: 1,
  },
  {
    what: 'a time long ago',
    body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: '0001-01-01T00:00:00Z' }))),
    committed: 1,
  },
  {
    what: 'a time long hence',
    body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: '9999-12-31T23:59:59.999999Z' }))),
    committed: 1,
  },
  {
    what: 'a time that is none',
    body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: 'yesterday' }))),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'a time that is a number',
    body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: 1767225600000 }))),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
];

/** Entries and values that cannot be rows. */
const ENTRIES: readonly NotificationCase[] = [
  ...[null, 5, 'text', true, [], {}, { resource: null }, { resource: [] }, { request: { method: 'DELETE' } }].map((entry) => ({
    what: `the entry ${JSON.stringify(entry)}`,
    body: () => aNotification(entry),
    ...UNREADABLE,
  })),
  {
    what: 'an update without its resource',
    body: () => aNotification(without(anEntry('update', aPatient()), 'resource')),
    ...UNREADABLE,
  },
  {
    what: 'an update with the id alone',
    body: () => aNotification(anEntry('update', { resourceType: 'Patient', id: 'id-only' })),
    committed: 1,
  },
  {
    what: 'a birth date that is no date',
    body: () => aNotification(anEntry('create', aPatient({ birthDate: 'soon' }))),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'a birth date that is an object',
    body: () => aNotification(anEntry('create', aPatient({ birthDate: { year: 1970 } }))),
    quarantined: ['VIEW_EVALUATION_FAILED'],
  },
  {
    what: 'several values for one column',
    body: () => aNotification(anEntry('create', aPatient({ name: [{ family: 'A' }, { family: 'B' }] }))),
    quarantined: ['VIEW_EVALUATION_FAILED'],
  },
  {
    what: 'a surrogate without its pair',
    body: () => aNotification(anEntry('create', aPatient({ name: [{ family: 'a\ud800b' }] }))),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'an id with a surrogate without its pair',
    body: () => aNotification(anEntry('create', aPatient({ id: 'a\ud800b' }))),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'a bad event among good ones',
    body: () =>
      aNotification(
        anEntry('create', aPatient()),
        anEntry('create', aPatient({ birthDate: 'x' })),
        anEntry('create', aPatient()),
      ),
    committed: 2,
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'a bad event in a large gzip',
    body: () =>
      gzipSync(aNotification(anEntry('create', aPatient({ birthDate: 'x', text: randomBytes(100_000).toString('hex') })))),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'a bad event nested 100,000 levels deep',
    body: () => withMember(aNotification(anEntry('create', aPatient({ birthDate: 'x' }))), 'extension', deep(100_000)),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'a good event nested 100,000 levels deep where the view does not look',
    body: () => withMember(good(), 'extension', deep(100_000)),
    committed: 1,
  },
];

/** Numbers that a JavaScript number would change, where the service keeps their digits. `1.0` takes the place of the text `DIGITS`. */
const withDigits = (body: string, digits = '1.0'): string => body.replaceAll('"DIGITS"', digits);
const DIGITS: readonly NotificationCase[] = [
  {
    what: 'a decimal of 30 digits',
    body: () =>
      withDigits(
        aNotification(anEntry('create', aPatient({ extension: [{ url: 'weight', valueDecimal: 'DIGITS' }] }))),
        '123456789012345678901.234500000',
      ),
    committed: 1,
  },
  {
    what: 'a decimal of a thousand digits',
    body: () =>
      withDigits(
        aNotification(anEntry('create', aPatient({ extension: [{ url: 'weight', valueDecimal: 'DIGITS' }] }))),
        '9'.repeat(1000),
      ),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'a decimal too large for any number',
    body: () =>
      withDigits(aNotification(anEntry('create', aPatient({ extension: [{ url: 'weight', valueDecimal: 'DIGITS' }] }))), '1e400'),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  { what: 'the number 1.0 for an entry', body: () => withDigits(aNotification('DIGITS')), ...UNREADABLE },
  {
    what: 'the number 1.0 for a resource',
    body: () => withDigits(aNotification({ ...anEntry('update', aPatient()), resource: 'DIGITS' })),
    ...UNREADABLE,
  },
  {
    what: 'the number 1.0 for an id',
    body: () => withDigits(aNotification({ resource: aPatient({ id: 'DIGITS' }) })),
    ...UNREADABLE,
  },
  {
    what: 'the number 1.0 for a meta',
    body: () => withDigits(aNotification(without(anEntry('create', aPatient({ meta: 'DIGITS' })), 'extension'))),
    committed: 1,
  },
  {
    what: 'the number 1.0 for a version',
    body: () => withDigits(aNotification(anEntry('create', aPatient({}, { versionId: 'DIGITS' })))),
    committed: 1,
  },
  {
    what: 'the number -0 for a date',
    body: () => withDigits(aNotification(anEntry('create', aPatient({ birthDate: 'DIGITS' }))), '-0'),
    quarantined: ['VALUE_NOT_CONVERTIBLE'],
  },
  {
    what: 'the number 1.0 for the name',
    body: () => withDigits(aNotification(anEntry('create', aPatient({ name: 'DIGITS' })))),
    committed: 1,
  },
  { what: 'the number 1.0 for the Bundle', body: () => '1.0', ...INVALID },
];

/** The forms of contract §3.5. Nothing of these resources is in Aidbox. */
const DELETES: readonly NotificationCase[] = [
  { what: 'a delete with the resource', body: () => aNotification(anEntry('delete', aPatient())), committed: 1 },
  {
    what: 'a delete without the resource, named by fullUrl',
    body: () => aNotification(without(anEntry('delete', aPatient()), 'resource')),
    ...WITHOUT_CONTENT,
  },
  {
    what: 'a delete without resource and fullUrl, named by the focus',
    body: () => JSON.stringify(aBundle([{ request: { method: 'DELETE', url: '/fhir/Patient' } }], ['Patient/focus-1'])),
    ...WITHOUT_CONTENT,
  },
  {
    what: 'a delete named by a focus with its version',
    body: () => JSON.stringify(aBundle([{ request: { method: 'DELETE' } }], ['Patient/focus-2/_history/5'])),
    ...WITHOUT_CONTENT,
  },
  {
    what: 'a delete by its action alone',
    body: () => aNotification(without(anEntry('delete', aPatient()), 'request')),
    committed: 1,
  },
  {
    what: 'a delete by its method alone, in lower case',
    body: () => aNotification({ ...without(anEntry('delete', aPatient()), 'extension'), request: { method: 'delete' } }),
    committed: 1,
  },
  {
    what: 'a delete of something that nobody can ask for',
    body: () => aNotification({ fullUrl: 'Patient/a\ud800b', request: { method: 'DELETE' } }),
    ...WITHOUT_CONTENT,
  },
  {
    what: 'a delete of an id that looks like a path',
    body: () => aNotification({ resource: { resourceType: 'Patient', id: '../../App' }, request: { method: 'DELETE' } }),
    committed: 1,
  },
  {
    what: 'a delete whose resource has an id alone',
    body: () =>
      aNotification({
        resource: { resourceType: 'Patient', id: 'deleted-1' },
        request: { method: 'DELETE', url: '/fhir/Patient/deleted-1' },
      }),
    committed: 1,
  },
];

/** The same event more than once. */
const REPETITIONS: readonly NotificationCase[] = [
  { what: 'an event twice in one notification', body: () => twice(anEntry('create', aPatient())), committed: 1, duplicates: 1 },
  {
    what: 'a bad event twice in one notification',
    body: () => twice(anEntry('create', aPatient({ birthDate: 'x' }))),
    quarantined: ['VALUE_NOT_CONVERTIBLE', 'again'],
  },
];
const twice = (entry: unknown): string => aNotification(entry, entry);

export const BAD_ENTRIES: readonly NotificationCase[] = [...IDENTITY, ...ENTRIES, ...DIGITS, ...DELETES, ...REPETITIONS];
