import { makeRandom, type Random } from '../../../scripts/generator/random.ts';
import type { SyntheaResource, SyntheaType } from './resources.ts';

/** One write through the REST API. */
export interface Write {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

/** All writes of one resource, in order. */
export type Life = readonly Write[];

type Patch = Record<string, unknown>;

const SHARES = { restrictedFromBirth: 0.02, born: { byPut: 0.2 }, change: 0.22, put: 0.5, patch: 0.8, return: 0.25 };
const MAX_CHANGES = 4;

/** Records that their patients closed to others: the topics of the test refuse them. */
const RESTRICTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };
export const NOT_RESTRICTED = "meta.security.where(code = 'V').empty()";

export function isRestricted(resource: object): boolean {
  const { meta } = resource as { meta?: { security?: { code: string }[] } };
  return meta?.security?.some(({ code }) => code === 'V') === true;
}

const concept = (code: string, text?: string): object => ({ coding: [{ code }], ...(text === undefined ? {} : { text }) });

/** What corrections of each type change: JSON merge patches, null takes an element away. */
const CORRECTIONS: Readonly<Record<SyntheaType, readonly Patch[]>> = {
  Patient: [
    { birthDate: '1969-07' },
    { birthDate: '1950', gender: 'other' },
    { birthDate: null, maritalStatus: null },
    { name: null },
    {
      name: [
        { use: 'official', family: 'Ångström-Łukasik', given: ['Zoë', '花子', '😀'] },
        { use: 'nickname', text: 'Z"\n' },
      ],
    },
    { deceasedDateTime: '2024-02-29T23:59:59+14:00' },
    { multipleBirthBoolean: true, multipleBirthInteger: null },
    { extension: null },
  ],
  Practitioner: [
    { active: false },
    { active: null, telecom: null },
    { gender: 'unknown', name: [{ family: "O'Brien" }] },
    { extension: null },
  ],
  Encounter: [
    { status: 'in-progress', period: { end: null } },
    { status: 'cancelled', reasonCode: null },
    { period: { start: '1999', end: '2000-02' }, participant: null },
  ],
  Condition: [
    { verificationStatus: concept('refuted') },
    { verificationStatus: concept('provisional'), abatementDateTime: null },
    { onsetDateTime: null, onsetString: 'in early childhood' },
    { clinicalStatus: concept('resolved'), abatementDateTime: '2021-03-28T02:30:00.123456789+01:00' },
  ],
  Procedure: [
    { status: 'not-done', reasonReference: null },
    { performedPeriod: null, performedDateTime: '2020-01-01' },
    { performedPeriod: { end: null }, code: concept('80146002', 'Appendectomy') },
  ],
  MedicationRequest: [
    { status: 'cancelled' },
    {
      dosageInstruction: [{ asNeededBoolean: true, doseAndRate: [{ doseQuantity: { value: 0.30000000000000004, unit: 'mg' } }] }],
    },
    { dosageInstruction: null, authoredOn: '2019-11' },
    { dosageInstruction: [{ timing: { repeat: { frequency: 2147483647, period: 1e-7, periodUnit: 'h' } } }] },
  ],
  Immunization: [
    { status: 'not-done', primarySource: false },
    { occurrenceDateTime: null, occurrenceString: 'as a child' },
    { vaccineCode: { coding: null, text: 'unknown vaccine' } },
  ],
  AllergyIntolerance: [
    { reaction: null },
    { criticality: null, category: ['food', 'biologic'] },
    { reaction: [{ manifestation: [concept('39579001')], severity: 'severe' }, { manifestation: [concept('271807003')] }] },
  ],
  Observation: [
    { status: 'amended', valueCodeableConcept: null, valueQuantity: { value: 12345678.9, unit: 'mg' } },
    { status: 'entered-in-error' },
    { effectiveDateTime: null, issued: '2024-12-31T23:59:59.999999-12:00' },
    {
      component: [
        { code: concept('8480-6'), valueQuantity: { value: 120, unit: 'mmHg' } },
        { code: concept('8462-4'), valueQuantity: { value: -0.5, unit: 'mmHg' } },
      ],
    },
  ],
};

/**
 * What happens to each resource: it is created, by POST or PUT, and some are then corrected by PUT or by JSON merge PATCH, closed to
 * others, opened again, deleted, and some of those brought back. Writes of different resources may go out at the same time.
 */
export function planLives(seed: number, type: SyntheaType, resources: readonly SyntheaResource[]): Life[] {
  const random = makeRandom(seed);
  return resources.map((resource) => planLife(random, type, resource));
}

function planLife(random: Random, type: SyntheaType, resource: SyntheaResource): Life {
  const path = `/fhir/${type}/${resource.id}`;
  let content: Patch = random.chance(SHARES.restrictedFromBirth) ? merge(resource, restriction(true)) : { ...resource };
  const writes: Write[] = [
    random.chance(SHARES.born.byPut)
      ? { method: 'PUT', path, body: content }
      : { method: 'POST', path: `/fhir/${type}`, body: content },
  ];
  for (let revision = 1; revision <= MAX_CHANGES && random.chance(SHARES.change); revision++) {
    const roll = random.next();
    if (roll >= SHARES.patch) {
      writes.push({ method: 'DELETE', path });
      if (!random.chance(SHARES.return)) break;
      writes.push({ method: 'PUT', path, body: content });
      continue;
    }
    const isAboutAccess = random.chance(0.15);
    const change = isAboutAccess ? restriction(!isRestricted(content)) : random.pick(CORRECTIONS[type]);
    // A correction that changes nothing would be no new version.
    const stamped = merge(change, { language: `x-${revision}` });
    content = merge(content, stamped);
    writes.push(roll < SHARES.put ? { method: 'PUT', path, body: content } : { method: 'PATCH', path, body: stamped });
  }
  return writes;
}

function restriction(isOn: boolean): Patch {
  return { meta: { security: isOn ? [RESTRICTED] : null } };
}

/** RFC 7386. Nulls stay where the target has nothing to take away from: `stamped` above is a patch itself. */
function merge(target: Patch, patch: Patch): Patch {
  const result: Patch = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    const before = result[name];
    if (value === null) delete result[name];
    else result[name] = isPlain(value) ? merge(isPlain(before) ? before : {}, value) : value;
  }
  return result;
}

function isPlain(value: unknown): value is Patch {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
