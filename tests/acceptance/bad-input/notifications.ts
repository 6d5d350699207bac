import { gzipSync } from 'node:zlib';
import { aBundle, aNotification, anEntry, aPatient, without } from './patients.ts';

/** A body that Aidbox (or something before it) might post, and what must become of its events. */
export interface NotificationCase {
  readonly what: string;
  readonly body: () => string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly committed?: number;
  readonly noRow?: number;
  readonly duplicates?: number;
  /** Codes of the quarantine entries. */
  readonly quarantined?: readonly string[];
}

const INVALID = { quarantined: ['NOTIFICATION_INVALID'] };
const UNREADABLE = { quarantined: ['ENTRY_UNREADABLE'] };
const WITHOUT_CONTENT = { quarantined: ['DELETE_WITHOUT_CONTENT'] };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A body whose text has a marker, with bytes in its place that are no UTF-8. */
const withBytes = (text: string, ...bytes: number[]): Uint8Array => {
  const [before = '', after = ''] = text.split('MARKER');
  return Buffer.concat([utf8(before), Uint8Array.from(bytes), utf8(after)]);
};
/** JSON text of many levels, written by hand: JSON.stringify could not. */
const deep = (levels: number, inner = '1'): string => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
const withMember = (body: string, name: string, json: string): string => body.replace('"birthDate"', `"${name}":${json},"birthDate"`);
const good = (): string => aNotification(anEntry('create', aPatient()));

/** Bodies that are no notification: one quarantined event each, whole. */
const BODIES: readonly NotificationCase[] = [
  ...Object.entries({
    'an empty body': '',
    'plain text': 'hello',
    'JSON that ends too early': good().slice(0, -20),
    'two JSON documents': `${good()}${good()}`,
    'lines of JSON': `${good()}\n${good()}`,
    'JSON with comments': `/* */${good()}`,
    null: 'null',
    'a number': '5',
    'a text': '"Bundle"',
    'a list': `[${good()}]`,
    'an empty object': '{}',
    'a single resource': JSON.stringify(aPatient()),
    'a Bundle without entries': '{"resourceType":"Bundle","type":"history"}',
    'a Bundle whose entry is an object': '{"resourceType":"Bundle","entry":{"resource":{}}}',
    'a Bundle whose entry is null': '{"resourceType":"Bundle","entry":null}',
    'JSON nested a million levels deep': deep(1_000_000),
    'a form': 'resourceType=Bundle&entry=1',
    'XML': '<Bundle xmlns="http://hl7.org/fhir"/>',
    'what looks like a spooled notification, without its members': '{"lakehouseSpooled":null}',
    'what looks like a spooled notification, cut off': '{"lakehouseSpooled":{"file":',
    'what looks like a spooled notification, with a file of its choice': '{"lakehouseSpooled":{"file":"../../seal.key","sizeBytes":1}}',
    'what looks like a replay, without its event': '{"lakehouseReplay":"AAAAAAAAAAAAAAAA"}',
    'what looks like a replay of another notification': `{"lakehouseReplay":"AAAAAAAAAAAAAAAA"}\n{"place":null}\n${good()}`,
  }).map(([what, body]) => ({ what, body: () => body, ...INVALID })),
  { what: 'bytes that are no UTF-8', body: () => withBytes(aNotification(anEntry('create', aPatient({ gender: 'MARKER' }))), 0xc3, 0x28), ...INVALID },
  { what: 'half a surrogate pair as UTF-8 bytes', body: () => withBytes(aNotification(anEntry('create', aPatient({ gender: 'MARKER' }))), 0xed, 0xa0, 0x80), ...INVALID },
  { what: 'UTF-16', body: () => Buffer.from(good(), 'utf16le'), ...INVALID },
  { what: 'a gzip that is cut off', body: () => gzipSync(good()).subarray(0, -10), headers: { 'content-encoding': 'gzip' }, ...INVALID },
  { what: 'the gzip of plain text', body: () => gzipSync('hello'), ...INVALID },
];

/** Odd, but understood. */
const ODD: readonly NotificationCase[] = [
  { what: 'a good notification', body: good, committed: 1 },
  { what: 'an odd content type', body: good, headers: { 'content-type': 'text/html; charset=klingon' }, committed: 1 },
  { what: 'a byte order mark before the JSON', body: () => `\u{feff}${good()}`, committed: 1 },
  { what: 'a gzip', body: () => gzipSync(good()), headers: { 'content-encoding': 'gzip' }, committed: 1 },
  { what: 'an empty Bundle', body: () => '{"resourceType":"Bundle","entry":[]}' },
  { what: 'a Bundle with the status entry alone', body: () => aNotification() },
  { what: 'a Bundle without the status entry', body: () => JSON.stringify({ resourceType: 'Bundle', entry: [anEntry('create', aPatient())] }), committed: 1 },
  { what: 'an entry without its action', body: () => aNotification(without(anEntry('create', aPatient()), 'extension', 'request')), committed: 1 },
  { what: 'an entry with an action that does not exist', body: () => aNotification({ ...anEntry('create', aPatient()), extension: [{ url: 'bundle-entryActionCode', valueCode: 'merge' }] }), committed: 1 },
  { what: 'resources of a type that FHIR does not have', body: () => aNotification({ resource: { ...aPatient(), resourceType: 'Pacient' } }), noRow: 1 },
  { what: 'resources of a type that is no name', body: () => aNotification({ resource: { ...aPatient(), resourceType: '../Patient' } }), noRow: 1 },
  { what: 'resources of another type than the view’s', body: () => aNotification({ resource: { ...aPatient(), resourceType: 'Observation' } }), noRow: 1 },
  { what: 'NUL in a text', body: () => aNotification(anEntry('create', aPatient({ name: [{ family: 'a\u0000b' }] }))), committed: 1 },
  { what: 'an id of 10,000 characters', body: () => aNotification(anEntry('create', aPatient({ id: 'x'.repeat(10_000) }))), committed: 1 },
  { what: 'names of the prototype as members', body: () => withMember(good(), '__proto__', '{"id":"polluted","resourceType":"Observation"}'), committed: 1 },
  { what: 'elements that the view does not read, of wrong types', body: () => aNotification(anEntry('create', aPatient({ gender: { a: 1 }, active: 'x', contact: 5 }))), committed: 1 },
];

const named = (resource: Record<string, unknown>): string => aNotification({ ...anEntry('create', resource), fullUrl: 'http://aidbox/fhir/Patient/named-1' });

/** Resources that lack what identifies them or their version. */
const IDENTITY: readonly NotificationCase[] = [
  { what: 'a resource without id, its entry without fullUrl', body: () => aNotification({ resource: without(aPatient(), 'id'), request: { method: 'POST', url: '/fhir/Patient' } }), ...UNREADABLE },
  { what: 'an id that is a number', body: () => aNotification({ resource: aPatient({ id: 5 }) }), ...UNREADABLE },
  { what: 'an id that is empty', body: () => aNotification({ resource: aPatient({ id: '' }) }), ...UNREADABLE },
  { what: 'a resource without its type', body: () => aNotification({ resource: without(aPatient(), 'resourceType') }), ...UNREADABLE },
  { what: 'a resource without id, named by fullUrl', body: () => named(without(aPatient(), 'id')), committed: 1 },
  { what: 'a resource without version', body: () => aNotification(without(anEntry('create', aPatient({}, { versionId: undefined })), 'extension')), committed: 1 },
  { what: 'a resource without time', body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: undefined }))), committed: 1 },
  { what: 'a resource without meta', body: () => aNotification(without(anEntry('create', without(aPatient(), 'meta')), 'extension')), committed: 1 },
  { what: 'a meta that is a text', body: () => aNotification(without(anEntry('create', aPatient({ meta: 'none' })), 'extension')), committed: 1 },
  { what: 'a version that is a number', body: () => aNotification(anEntry('create', aPatient({}, { versionId: 7 }))), committed: 1 },
  { what: 'a time long ago', body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: '0001-01-01T00:00:00Z' }))), committed: 1 },
  { what: 'a time long hence', body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: '9999-12-31T23:59:59.999999Z' }))), committed: 1 },
  { what: 'a time that is none', body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: 'yesterday' }))), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'a time that is a number', body: () => aNotification(anEntry('create', aPatient({}, { lastUpdated: 1767225600000 }))), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
];

/** Entries and values that cannot be rows. */
const ENTRIES: readonly NotificationCase[] = [
  ...[null, 5, 'text', true, [], {}, { resource: null }, { resource: [] }, { request: { method: 'DELETE' } }].map((entry) => ({
    what: `the entry ${JSON.stringify(entry)}`,
    body: () => aNotification(entry),
    ...UNREADABLE,
  })),
  { what: 'an update without its resource', body: () => aNotification(without(anEntry('update', aPatient()), 'resource')), ...UNREADABLE },
  { what: 'an update with the id alone', body: () => aNotification(anEntry('update', { resourceType: 'Patient', id: 'id-only' })), committed: 1 },
  { what: 'a birth date that is no date', body: () => aNotification(anEntry('create', aPatient({ birthDate: 'soon' }))), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'a birth date that is an object', body: () => aNotification(anEntry('create', aPatient({ birthDate: { year: 1970 } }))), quarantined: ['VIEW_EVALUATION_FAILED'] },
  { what: 'several values for one column', body: () => aNotification(anEntry('create', aPatient({ name: [{ family: 'A' }, { family: 'B' }] }))), quarantined: ['VIEW_EVALUATION_FAILED'] },
  { what: 'a surrogate without its pair', body: () => aNotification(anEntry('create', aPatient({ name: [{ family: 'a\ud800b' }] }))), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'an id with a surrogate without its pair', body: () => aNotification(anEntry('create', aPatient({ id: 'a\ud800b' }))), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'a bad event among good ones', body: () => aNotification(anEntry('create', aPatient()), anEntry('create', aPatient({ birthDate: 'x' })), anEntry('create', aPatient())), committed: 2, quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'a bad event nested 100,000 levels deep', body: () => withMember(aNotification(anEntry('create', aPatient({ birthDate: 'x' }))), 'extension', deep(100_000)), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'a good event nested 100,000 levels deep where the view does not look', body: () => withMember(good(), 'extension', deep(100_000)), committed: 1 },
];

/** Numbers that a JavaScript number would change, where the service keeps their digits. `1.0` takes the place of the text `DIGITS`. */
const withDigits = (body: string, digits = '1.0'): string => body.replaceAll('"DIGITS"', digits);
const DIGITS: readonly NotificationCase[] = [
  { what: 'a decimal of 30 digits', body: () => withDigits(aNotification(anEntry('create', aPatient({ extension: [{ url: 'weight', valueDecimal: 'DIGITS' }] }))), '123456789012345678901.234500000'), committed: 1 },
  { what: 'a decimal of a thousand digits', body: () => withDigits(aNotification(anEntry('create', aPatient({ extension: [{ url: 'weight', valueDecimal: 'DIGITS' }] }))), '9'.repeat(1000)), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'a decimal too large for any number', body: () => withDigits(aNotification(anEntry('create', aPatient({ extension: [{ url: 'weight', valueDecimal: 'DIGITS' }] }))), '1e400'), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'the number 1.0 for an entry', body: () => withDigits(aNotification('DIGITS')), ...UNREADABLE },
  { what: 'the number 1.0 for a resource', body: () => withDigits(aNotification({ ...anEntry('update', aPatient()), resource: 'DIGITS' })), ...UNREADABLE },
  { what: 'the number 1.0 for an id', body: () => withDigits(aNotification({ resource: aPatient({ id: 'DIGITS' }) })), ...UNREADABLE },
  { what: 'the number 1.0 for a meta', body: () => withDigits(aNotification(without(anEntry('create', aPatient({ meta: 'DIGITS' })), 'extension'))), committed: 1 },
  { what: 'the number 1.0 for a version', body: () => withDigits(aNotification(anEntry('create', aPatient({}, { versionId: 'DIGITS' })))), committed: 1 },
  { what: 'the number -0 for a date', body: () => withDigits(aNotification(anEntry('create', aPatient({ birthDate: 'DIGITS' }))), '-0'), quarantined: ['VALUE_NOT_CONVERTIBLE'] },
  { what: 'the number 1.0 for the name', body: () => withDigits(aNotification(anEntry('create', aPatient({ name: 'DIGITS' })))), committed: 1 },
  { what: 'the number 1.0 for the Bundle', body: () => '1.0', ...INVALID },
];

/** The forms of contract §3.5. Nothing of these resources is in Aidbox. */
const DELETES: readonly NotificationCase[] = [
  { what: 'a delete with the resource', body: () => aNotification(anEntry('delete', aPatient())), committed: 1 },
  { what: 'a delete without the resource, named by fullUrl', body: () => aNotification(without(anEntry('delete', aPatient()), 'resource')), ...WITHOUT_CONTENT },
  { what: 'a delete without resource and fullUrl, named by the focus', body: () => JSON.stringify(aBundle([{ request: { method: 'DELETE', url: '/fhir/Patient' } }], ['Patient/focus-1'])), ...WITHOUT_CONTENT },
  { what: 'a delete named by a focus with its version', body: () => JSON.stringify(aBundle([{ request: { method: 'DELETE' } }], ['Patient/focus-2/_history/5'])), ...WITHOUT_CONTENT },
  { what: 'a delete by its action alone', body: () => aNotification(without(anEntry('delete', aPatient()), 'request')), committed: 1 },
  { what: 'a delete by its method alone, in lower case', body: () => aNotification({ ...without(anEntry('delete', aPatient()), 'extension'), request: { method: 'delete' } }), committed: 1 },
  { what: 'a delete of something that nobody can ask for', body: () => aNotification({ fullUrl: 'Patient/a\ud800b', request: { method: 'DELETE' } }), ...WITHOUT_CONTENT },
  { what: 'a delete of an id that looks like a path', body: () => aNotification({ resource: { resourceType: 'Patient', id: '../../App' }, request: { method: 'DELETE' } }), committed: 1 },
  { what: 'a delete whose resource has an id alone', body: () => aNotification({ resource: { resourceType: 'Patient', id: 'deleted-1' }, request: { method: 'DELETE', url: '/fhir/Patient/deleted-1' } }), committed: 1 },
];

/** The same event more than once. */
const REPETITIONS: readonly NotificationCase[] = [
  { what: 'an event twice in one notification', body: () => twice(anEntry('create', aPatient())), committed: 1, duplicates: 1 },
  { what: 'a bad event twice in one notification', body: () => twice(anEntry('create', aPatient({ birthDate: 'x' }))), quarantined: ['VALUE_NOT_CONVERTIBLE', 'again'] },
];
const twice = (entry: unknown): string => aNotification(entry, entry);

export const NOTIFICATIONS: readonly NotificationCase[] = [...BODIES, ...ODD, ...IDENTITY, ...ENTRIES, ...DIGITS, ...DELETES, ...REPETITIONS];
