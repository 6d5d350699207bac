/** Rows of Patients: what their table must tell apart. The birth date has a type that not every text fits. */
export const VIEW = {
  name: 'bad_input_patients',
  resource: 'Patient',
  select: [
    {
      column: [
        { name: 'id', path: 'getResourceKey()', type: 'id' },
        { name: 'version_id', path: 'meta.versionId', type: 'id' },
        { name: 'ts', path: 'meta.lastUpdated', type: 'instant' },
        { name: 'birth_date', path: 'birthDate', type: 'date' },
        { name: 'family', path: 'name.family', type: 'string' },
        // Makes the service read the digits of decimals as they were sent.
        { name: 'weight', path: "extension.where(url = 'weight').value.ofType(decimal).first()", type: 'decimal' },
        { name: 'given', path: "name.given.join(' ')", type: 'string' },
      ],
    },
  ],
};

type Json = Record<string, unknown>;

let lastId = 0;
let lastVersion = 0;

/** A Patient that no other has been. */
export function aPatient(elements: Json = {}, meta: Json = {}): Json {
  const id = `bad-input-${(lastId += 1)}`;
  const versionId = String((lastVersion += 1));
  const lastUpdated = new Date(Date.UTC(2026, 0, 1) + lastVersion * 1_000).toISOString();
  return {
    resourceType: 'Patient',
    id,
    meta: { versionId, lastUpdated, ...meta },
    birthDate: '1970-01-02',
    name: [{ family: 'Lovelace', given: ['Ada', 'Augusta'] }],
    ...elements,
  };
}

/** The value without its members that are undefined, as it is sent. */
export const without = (resource: Json, ...names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(resource).filter(([name]) => !names.includes(name)));

const EXTENSION = 'http://health-samurai.io/fhir/core/StructureDefinition/bundle-';

/** An entry as Aidbox makes it; `elements` come over it. */
export function anEntry(action: 'create' | 'update' | 'delete', resource: Json, elements: Json = {}): Json {
  const { id, meta } = resource as { id: string; meta?: { versionId?: string } };
  const method = { create: 'POST', update: 'PUT', delete: 'DELETE' }[action];
  return {
    fullUrl: `http://aidbox/fhir/Patient/${id}`,
    request: { method, url: action === 'create' ? '/fhir/Patient' : `/fhir/Patient/${id}` },
    extension: [
      { url: `${EXTENSION}entryActionCode`, valueCode: action },
      { url: `${EXTENSION}entryVersionId`, valueId: meta?.versionId },
    ],
    resource,
    ...elements,
  };
}

/** A notification with these entries behind the status entry, whose focuses name them in order. */
export function aBundle(entries: readonly unknown[], focuses: readonly string[] = []): Json {
  return {
    resourceType: 'Bundle',
    type: 'history',
    timestamp: '2026-08-03T09:15:02Z',
    entry: [
      {
        resource: {
          resourceType: 'AidboxSubscriptionStatus',
          status: 'active',
          type: 'event-notification',
          notificationEvent: focuses.map((reference, index) => ({ eventNumber: index + 1, focus: { reference } })),
          topic: 'http://example.org/topic',
        },
      },
      ...entries,
    ],
  };
}

export const aNotification = (...entries: readonly unknown[]): string => JSON.stringify(aBundle(entries));
