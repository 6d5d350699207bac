import { gzipSync } from 'node:zlib';
import { deep, good, INVALID, withMember, type NotificationCase } from './notification-case.ts';
import { aNotification, anEntry, aPatient, without } from './patients.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A body whose text has a marker, with bytes in its place that are no UTF-8. */
const withBytes = (text: string, ...bytes: number[]): Uint8Array => {
  const [before = '', after = ''] = text.split('MARKER');
  return Buffer.concat([utf8(before), Uint8Array.from(bytes), utf8(after)]);
};
/** Bodies that are no notification: one quarantined event each, whole. */
const UNREADABLE_BODIES: readonly NotificationCase[] = [
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
    XML: '<Bundle xmlns="http://hl7.org/fhir"/>',
    'what looks like a spooled notification, without its members': '{"lakehouseSpooled":null}',
    'what looks like a spooled notification, cut off': '{"lakehouseSpooled":{"file":',
    'what looks like a spooled notification, with a file of its choice':
      '{"lakehouseSpooled":{"file":"../../seal.key","sizeBytes":1}}',
    'what looks like a replay, without its event': '{"lakehouseReplay":"AAAAAAAAAAAAAAAA"}',
    'what looks like a replay of another notification': `{"lakehouseReplay":"AAAAAAAAAAAAAAAA"}\n{"place":null}\n${good()}`,
  }).map(([what, body]) => ({ what, body: () => body, ...INVALID })),
  {
    what: 'bytes that are no UTF-8',
    body: () => withBytes(aNotification(anEntry('create', aPatient({ gender: 'MARKER' }))), 0xc3, 0x28),
    ...INVALID,
  },
  {
    what: 'half a surrogate pair as UTF-8 bytes',
    body: () => withBytes(aNotification(anEntry('create', aPatient({ gender: 'MARKER' }))), 0xed, 0xa0, 0x80),
    ...INVALID,
  },
  { what: 'UTF-16', body: () => Buffer.from(good(), 'utf16le'), ...INVALID },
  {
    what: 'a gzip that is cut off',
    body: () => gzipSync(good()).subarray(0, -10),
    headers: { 'content-encoding': 'gzip' },
    ...INVALID,
  },
  { what: 'the gzip of plain text', body: () => gzipSync('hello'), ...INVALID },
];

/** Odd, but understood. */
const ODD_BODIES: readonly NotificationCase[] = [
  { what: 'a good notification', body: good, committed: 1 },
  { what: 'an odd content type', body: good, headers: { 'content-type': 'text/html; charset=klingon' }, committed: 1 },
  { what: 'a byte order mark before the JSON', body: () => `\u{feff}${good()}`, committed: 1 },
  { what: 'a gzip', body: () => gzipSync(good()), headers: { 'content-encoding': 'gzip' }, committed: 1 },
  { what: 'an empty Bundle', body: () => '{"resourceType":"Bundle","entry":[]}' },
  { what: 'a Bundle with the status entry alone', body: () => aNotification() },
  {
    what: 'a Bundle without the status entry',
    body: () => JSON.stringify({ resourceType: 'Bundle', entry: [anEntry('create', aPatient())] }),
    committed: 1,
  },
  {
    what: 'an entry without its action',
    body: () => aNotification(without(anEntry('create', aPatient()), 'extension', 'request')),
    committed: 1,
  },
  {
    what: 'an entry with an action that does not exist',
    body: () =>
      aNotification({ ...anEntry('create', aPatient()), extension: [{ url: 'bundle-entryActionCode', valueCode: 'merge' }] }),
    committed: 1,
  },
  {
    what: 'resources of a type that FHIR does not have',
    body: () => aNotification({ resource: { ...aPatient(), resourceType: 'Pacient' } }),
    noRow: 1,
  },
  {
    what: 'resources of a type that is no name',
    body: () => aNotification({ resource: { ...aPatient(), resourceType: '../Patient' } }),
    noRow: 1,
  },
  {
    what: 'resources of another type than the view’s',
    body: () => aNotification({ resource: { ...aPatient(), resourceType: 'Observation' } }),
    noRow: 1,
  },
  {
    what: 'NUL in a text',
    body: () => aNotification(anEntry('create', aPatient({ name: [{ family: 'a\u0000b' }] }))),
    committed: 1,
  },
  {
    what: 'an id of 10,000 characters',
    body: () => aNotification(anEntry('create', aPatient({ id: 'x'.repeat(10_000) }))),
    committed: 1,
  },
  {
    what: 'names of the prototype as members',
    body: () => withMember(good(), '__proto__', '{"id":"polluted","resourceType":"Observation"}'),
    committed: 1,
  },
  {
    what: 'elements that the view does not read, of wrong types',
    body: () => aNotification(anEntry('create', aPatient({ gender: { a: 1 }, active: 'x', contact: 5 }))),
    committed: 1,
  },
];

export const BAD_BODIES: readonly NotificationCase[] = [...UNREADABLE_BODIES, ...ODD_BODIES];
