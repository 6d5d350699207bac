import { describe, expect, it } from '@jest/globals';
import { eventKey, versionKey } from '../../../app/delivery/event-key.ts';
import type { EventContent, FlattenEvent } from '../../../app/delivery/open-notification.ts';
import { prepareEvent, type PrepareContext } from '../../../app/delivery/prepare-event.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import { parseNotification } from '../../../app/fhir/notification.ts';

const EXTENSION = 'http://health-samurai.io/fhir/core/StructureDefinition/bundle-entry';
const BEFORE = { versionId: '8', lastUpdated: '2026-01-01T00:00:00.000008Z' };
const DELETION = { versionId: '9', lastUpdated: '2026-01-01T00:00:00.000009Z' };
const LATER = '2026-01-01T00:00:00.5Z';
const NOTIFIED = '2026-01-01T00:00:01Z';

interface Case {
  /** `meta` of the resource; without one there is no resource. */
  readonly meta?: object;
  /** What the extension of the entry names. */
  readonly version?: string;
  readonly history?: AppError | 'none';
  /** Whether the table holds the write of the event's version, as far as is known; default no. */
  readonly isHeld?: boolean | 'unknown';
}

/** Prepares one deletion; `asked` are the versions that the history was read for. */
async function prepare({ meta, version, history, isHeld = false }: Case) {
  const extension = [
    { url: `${EXTENSION}ActionCode`, valueCode: 'delete' },
    ...(version === undefined ? [] : [{ url: `${EXTENSION}VersionId`, valueId: version }]),
  ];
  const resource = meta && { resourceType: 'Patient', id: 'p', gender: 'x', meta };
  const body = new TextEncoder().encode(
    JSON.stringify({ resourceType: 'Bundle', entry: [{ fullUrl: 'http://a/fhir/Patient/p', resource, extension }] }),
  );
  const [entry] = parseNotification(body).events;
  const asked: (string | undefined)[] = [];
  const context = {
    view: { resourceType: 'Patient' },
    flatten: ({ resource }: EventContent) => [[(resource as { meta?: { lastUpdated?: string } }).meta?.lastUpdated]],
    holds: () => (isHeld === 'unknown' ? undefined : isHeld),
    lastValues: {
      read: async (_type: string, _id: string, versionId: string | undefined) => {
        asked.push(versionId);
        if (history instanceof AppError) throw history;
        return history === 'none' ? undefined : { resource: { resourceType: 'Patient', id: 'p', meta: DELETION } };
      },
    },
  } as unknown as PrepareContext & { flatten: FlattenEvent };
  const place = { jobId: 'j', place: 0, receivedAtMs: 0, notificationTime: NOTIFIED, body, replayOf: undefined };
  const { prepared, key, version: sortedBy } = await prepareEvent(entry!, place, context);
  const { content, coverage } = prepared!;
  return { key, asked, coverage, sortedBy, entry: entry!, result: content.kind === 'rows' ? content.rows[0]![0] : content.code };
}

const REFUSED = new AppError('HISTORY_NOT_READABLE', 'Aidbox answered 403');

describe('the time of a deletion', () => {
  it.each<[string, Case, unknown, unknown[]]>([
    ['is in a notification that has its meta', { meta: DELETION, version: '9' }, DELETION.lastUpdated, []],
    ['is in a notification without the extension', { meta: DELETION }, DELETION.lastUpdated, []],
    [
      'is read from the history when the extension names another version than meta',
      { meta: BEFORE, version: '9' },
      DELETION.lastUpdated,
      ['9'],
    ],
    [
      'is read from the history when the table holds the write of its version',
      { meta: BEFORE, version: '8', isHeld: true },
      DELETION.lastUpdated,
      ['8'],
    ],
    [
      'is read from the history when nobody knows whose meta it is, and the history tells of a later deletion',
      { meta: BEFORE, version: '8', isHeld: 'unknown' },
      DELETION.lastUpdated,
      ['8'],
    ],
    [
      'is that of its meta when the history tells of no later one',
      { meta: { ...DELETION, lastUpdated: LATER }, version: '9', isHeld: 'unknown' },
      LATER,
      ['9'],
    ],
    [
      'is that of its meta when nobody knows whose it is, and there is no history',
      { meta: BEFORE, version: '8', isHeld: 'unknown', history: REFUSED },
      BEFORE.lastUpdated,
      ['8'],
    ],
    ['and the values are read from the history without a resource', { version: '9' }, DELETION.lastUpdated, ['9']],
    ['is that of the notification where there is no history', { meta: BEFORE, version: '9', history: 'none' }, NOTIFIED, ['9']],
    [
      'is that of the notification where the history is refused',
      { meta: BEFORE, version: '9', history: REFUSED },
      NOTIFIED,
      ['9'],
    ],
  ])('%s', async (_name, given, time, asked) => {
    expect(await prepare(given)).toMatchObject({ result: time, asked });
  });

  it('costs the event when its last values are refused, and its like without a history', async () => {
    expect((await prepare({ version: '9', history: REFUSED })).result).toBe('HISTORY_NOT_READABLE');
    expect((await prepare({ version: '9', history: 'none' })).result).toBe('DELETE_WITHOUT_CONTENT');
  });

  it('holds the batch up when the app is refused altogether', async () => {
    const history = new AppError('AIDBOX_REFUSED', 'Aidbox answered 401');
    for (const meta of [undefined, BEFORE])
      await expect(prepare({ ...(meta && { meta }), version: '9', history })).rejects.toMatchObject({ code: 'AIDBOX_REFUSED' });
  });

  it('bounds how far back the table is searched for it, wherever it came from', async () => {
    const since = { kind: 'since', lastUpdatedMicros: 1_767_225_600_000_009n };
    for (const meta of [undefined, BEFORE, DELETION]) {
      const { coverage, sortedBy } = await prepare({ ...(meta && { meta }), version: '9' });
      expect(coverage).toEqual(since);
      expect(sortedBy).toMatchObject({ lastUpdatedMicros: since.lastUpdatedMicros });
    }
    const { coverage } = await prepare({ version: '9', history: 'none' });
    expect(coverage).toEqual({ kind: 'delivery', receivedAtMs: 0 });
  });

  it('has no part in the key, which names the version of the deletion', async () => {
    const { key, entry } = await prepare({ meta: BEFORE, version: '9' });
    if (entry.kind !== 'event') throw new Error('unreadable');
    expect(key).toBe(eventKey(entry.event));
    expect(key).not.toBe(versionKey({ ...entry.event, versionId: '8' }, true));
  });
});
