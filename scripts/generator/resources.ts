import { decimal, type JsonObject } from './exact-json.ts';
import type { Random } from './random.ts';
import * as words from './vocabulary.ts';

/** A generated resource in FHIR R4 JSON. Decimals are marked by `decimal`: write it with `writeExactJson`. */
export interface GeneratedResource extends JsonObject {
  resourceType: string;
  id: string;
}

const LOINC = 'http://loinc.org';
const SNOMED = 'http://snomed.info/sct';
export const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';

/** A Patient: mostly complete; some without name, with several names, partial or unknown birth date, no or two addresses. */
export function makePatient(random: Random, id: string): GeneratedResource {
  const gender = random.pick(['female', 'male', 'female', 'male', 'female', 'male', 'other', 'unknown']);
  const addresses = random.pick([0, 1, 1, 1, 2]);
  return {
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'urn:oid:2.16.840.1.113883.19.5', value: `MRN-${random.between(100_000, 999_999)}` }],
    active: random.chance(0.95),
    ...(random.chance(0.94) && { name: makeNames(random, gender) }),
    ...(random.chance(0.7) && { telecom: [makePhone(random)] }),
    ...(random.chance(0.95) && { gender }),
    ...makeBirthDate(random),
    ...(random.chance(0.06) && makeDeath(random)),
    ...(addresses > 0 && { address: Array.from({ length: addresses }, () => makeAddress(random)) }),
    ...(random.chance(0.4) && { maritalStatus: concept(`${TERMINOLOGY}/v3-MaritalStatus`, random.pick(['M', 'S', 'D', 'W'])) }),
    ...(random.chance(0.03) && { multipleBirthInteger: random.between(1, 3) }),
    ...(random.chance(0.3) && {
      communication: [{ language: concept('urn:ietf:bcp:47', random.pick(words.LANGUAGES)), preferred: true }],
    }),
  };
}

/** An Encounter of a patient; those in progress have no end. */
export function makeEncounter(random: Random, id: string, patientId: string): GeneratedResource {
  const isOpen = random.chance(0.25);
  const start = random.between(0, 900 * 24 * 60);
  const kind = random.pick(words.ENCOUNTER_CLASSES);
  return {
    resourceType: 'Encounter',
    id,
    status: isOpen ? 'in-progress' : 'finished',
    class: { system: `${TERMINOLOGY}/v3-ActCode`, ...kind },
    type: [coded(SNOMED, random.pick(words.ENCOUNTER_TYPES))],
    subject: reference('Patient', patientId),
    period: { start: dateTime(random, start), ...(!isOpen && { end: dateTime(random, start + random.between(10, 6000)) }) },
    ...(random.chance(0.3) && { reasonCode: [{ text: random.pick(words.NOTES) }] }),
  };
}

/** A Condition of a patient; its onset is a full or partial date, an age, or a text. */
export function makeCondition(random: Random, id: string, patientId: string, encounterId: string | undefined): GeneratedResource {
  const isResolved = random.chance(0.3);
  const onset = random.pick<JsonObject>([
    { onsetDateTime: dateTime(random, random.between(0, 900 * 24 * 60)) },
    { onsetDateTime: String(random.between(1990, 2023)) },
    { onsetDateTime: `${random.between(1990, 2023)}-0${random.between(1, 9)}` },
    { onsetAge: { value: random.between(1, 90), unit: 'a', system: 'http://unitsofmeasure.org', code: 'a' } },
    { onsetString: 'in early childhood' },
  ]);
  return {
    resourceType: 'Condition',
    id,
    clinicalStatus: concept(`${TERMINOLOGY}/condition-clinical`, isResolved ? 'resolved' : 'active'),
    verificationStatus: concept(`${TERMINOLOGY}/condition-ver-status`, random.pick(['confirmed', 'provisional'])),
    code: coded(SNOMED, random.pick(words.CONDITIONS)),
    subject: reference('Patient', patientId),
    ...(encounterId !== undefined && { encounter: reference('Encounter', encounterId) }),
    ...onset,
    ...(isResolved && { abatementDateTime: dateTime(random, random.between(900 * 24 * 60, 1000 * 24 * 60)) }),
  };
}

/** An Observation: a laboratory value, a blood pressure with components, a text, a code, or one without a value. */
export function makeObservation(
  random: Random,
  id: string,
  patientId: string,
  encounterId: string | undefined,
): GeneratedResource {
  const make = random.pick([makeLabValue, makeLabValue, makeLabValue, makeBloodPressure, makeBloodPressure, makeRemark]);
  return {
    resourceType: 'Observation',
    id,
    status: random.pick(['final', 'final', 'final', 'preliminary']),
    subject: reference('Patient', patientId),
    ...(encounterId !== undefined && { encounter: reference('Encounter', encounterId) }),
    ...makeEffective(random),
    ...make(random),
  };
}

/** A new measured value for an Observation of any kind: the elements to set, null for one to take away. */
export function remeasure(random: Random, observation: GeneratedResource): JsonObject {
  if (Array.isArray(observation['component'])) return { component: makeComponents(random) };
  const code = JSON.stringify(observation['code']);
  const test = words.LAB_TESTS.find((candidate) => code.includes(`"${candidate.code}"`));
  if (test !== undefined) {
    return { ...makeQuantity(random, test), ...('dataAbsentReason' in observation && { dataAbsentReason: null }) };
  }
  return {
    ...('valueString' in observation && { valueString: random.pick(words.NOTES) }),
    note: [{ text: random.pick(words.NOTES) }],
  };
}

export function makeAddress(random: Random): JsonObject {
  const line = `${random.between(1, 999)} ${random.pick(words.STREETS)}`;
  const place = random.pick(words.CITIES);
  return {
    use: random.pick(['home', 'work', 'temp']),
    line: random.chance(0.2) ? [line, `Apt ${random.between(1, 80)}`] : [line],
    ...place,
    ...(random.chance(0.2) && { period: { start: random.pick(['2019', '2021-04', '2023-11-30']) } }),
  };
}

export function makePhone(random: Random): JsonObject {
  return {
    system: 'phone',
    value: `+41 ${random.between(100, 999)} ${random.between(1000, 9999)}`,
    use: random.pick(['home', 'mobile']),
  };
}

function makeNames(random: Random, gender: string): JsonObject[] {
  const given = words.GIVEN_NAMES[gender === 'female' || gender === 'male' ? gender : random.pick(['female', 'male'] as const)];
  const names: JsonObject[] = [
    {
      ...(random.chance(0.9) && { use: 'official' }),
      ...(random.chance(0.97) && { family: random.pick(words.FAMILY_NAMES) }),
      given: random.chance(0.35) ? [random.pick(given), random.pick(given)] : [random.pick(given)],
    },
  ];
  if (random.chance(0.15)) names.push({ use: 'maiden', family: random.pick(words.FAMILY_NAMES) });
  if (random.chance(0.1)) names.unshift({ use: 'nickname', text: random.pick(given) });
  return names;
}

function makeBirthDate(random: Random): JsonObject {
  const year = String(random.between(1930, 2023));
  const [month, day] = [random.between(1, 12), random.between(1, 28)].map((part) => String(part).padStart(2, '0'));
  const roll = random.next();
  if (roll < 0.86) return { birthDate: `${year}-${month}-${day}` };
  if (roll < 0.91) return { birthDate: `${year}-${month}` };
  if (roll < 0.95) return { birthDate: year };
  const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' };
  return roll < 0.97 ? { _birthDate: { extension: [absent] } } : {};
}

function makeDeath(random: Random): JsonObject {
  return random.chance(0.5)
    ? { deceasedBoolean: true }
    : { deceasedDateTime: dateTime(random, random.between(0, 900 * 24 * 60)) };
}

function makeEffective(random: Random): JsonObject {
  const at = random.between(0, 900 * 24 * 60);
  const roll = random.next();
  if (roll < 0.88) return { effectiveDateTime: dateTime(random, at) };
  if (roll < 0.92) return { effectiveDateTime: dateTime(random, at).slice(0, 7) };
  return roll < 0.97 ? { effectivePeriod: { start: dateTime(random, at), end: dateTime(random, at + 30) } } : {};
}

function makeLabValue(random: Random): JsonObject {
  const test = random.pick(words.LAB_TESTS);
  const bound = (text: string): JsonObject => ({ value: decimal(text), unit: test.unit });
  const head = { category: [concept(`${TERMINOLOGY}/observation-category`, 'laboratory')], code: coded(LOINC, test) };
  if (random.chance(0.04)) return { ...head, dataAbsentReason: concept(`${TERMINOLOGY}/data-absent-reason`, 'error') };
  const [low, high] = test.normal;
  return {
    ...head,
    ...makeQuantity(random, test),
    ...(random.chance(0.6) && { referenceRange: [{ low: bound(low), high: bound(high) }] }),
  };
}

function makeQuantity(random: Random, test: (typeof words.LAB_TESTS)[number]): JsonObject {
  const value = test.low + random.next() * (test.high - test.low);
  return {
    valueQuantity: {
      value: decimal(value.toFixed(test.digits)),
      unit: test.unit,
      system: 'http://unitsofmeasure.org',
      code: test.unit,
      ...(random.chance(0.03) && { comparator: '<' }),
    },
  };
}

function makeBloodPressure(random: Random): JsonObject {
  return {
    category: [concept(`${TERMINOLOGY}/observation-category`, 'vital-signs')],
    code: coded(LOINC, { code: '85354-9', display: 'Blood pressure panel with all children optional' }),
    component: makeComponents(random),
  };
}

function makeComponents(random: Random): JsonObject[] {
  const part = (code: string, display: string, value: number): JsonObject => ({
    code: coded(LOINC, { code, display }),
    valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  });
  const parts = [part('8480-6', 'Systolic blood pressure', random.between(85, 210))];
  if (random.chance(0.97)) parts.push(part('8462-4', 'Diastolic blood pressure', random.between(45, 125)));
  return parts;
}

function makeRemark(random: Random): JsonObject {
  const head = { category: [concept(`${TERMINOLOGY}/observation-category`, 'exam')] };
  return random.chance(0.5)
    ? { ...head, code: { text: 'Examination remark' }, valueString: random.pick(words.NOTES) }
    : {
        ...head,
        code: coded(LOINC, { code: '72166-2', display: 'Tobacco smoking status' }),
        valueCodeableConcept: coded(SNOMED, { code: '266919005', display: 'Never smoked tobacco' }),
      };
}

/** Minutes after 2022-01-01 as a dateTime, in UTC or in the zone of a hospital. */
function dateTime(random: Random, minutes: number): string {
  const [zone, offsetMinutes] = random.pick([
    ['Z', 0],
    ['Z', 0],
    ['+02:00', 120],
    ['-05:00', -300],
  ] as const);
  const local = new Date(Date.UTC(2022, 0, 1) + (minutes + offsetMinutes) * 60_000).toISOString();
  return `${local.slice(0, random.chance(0.3) ? 23 : 19)}${zone}`;
}

function reference(type: string, id: string): JsonObject {
  return { reference: `${type}/${id}` };
}

export function concept(system: string, code: string): JsonObject {
  return { coding: [{ system, code }] };
}

function coded(system: string, { code, display }: { readonly code: string; readonly display: string }): JsonObject {
  return { coding: [{ system, code, display }], text: display };
}
