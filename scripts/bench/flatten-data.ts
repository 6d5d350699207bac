import { writeExactJson, type JsonObject } from '../generator/exact-json.ts';
import { makeRandom, type Random } from '../generator/random.ts';
import { makeObservation, makePatient } from '../generator/resources.ts';

/** Lines of NDJSON by type, the same in every run. Patients carry the extensions and identifiers of US Core. */
export function makeFlattenData(
  count: number,
): Readonly<Record<'Patient' | 'Observation' | 'QuestionnaireResponse', readonly string[]>> {
  const random = makeRandom(20260401);
  const lines = (make: (index: number) => JsonObject): string[] =>
    Array.from({ length: count }, (_, index) => writeExactJson(make(index)));
  return {
    Patient: lines((index) => makeUsCorePatient(random, `p-${index}`)),
    Observation: lines((index) => ({ ...makeObservation(random, `o-${index}`, `p-${index % 100}`, `e-${index % 300}`) })),
    QuestionnaireResponse: lines((index) => makeQuestionnaireResponse(random, `q-${index}`)),
  };
}

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';

function makeUsCorePatient(random: Random, id: string): JsonObject {
  const patient = makePatient(random, id);
  const coded = (url: string, code: string, text: string): JsonObject => ({
    url: `${US_CORE}/${url}`,
    extension: [
      { url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code, display: text } },
      { url: 'text', valueString: text },
    ],
  });
  const identifier = (code: string, system: string, value: string): JsonObject => ({
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }], text: code },
    system,
    value,
  });
  return {
    ...patient,
    meta: { versionId: '3', lastUpdated: '2026-04-01T10:00:00.123Z', profile: [`${US_CORE}/us-core-patient`] },
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${'Generated for a measurement. '.repeat(8)}</div>`,
    },
    extension: [
      coded('us-core-race', '2106-3', 'White'),
      coded('us-core-ethnicity', '2186-5', 'Not Hispanic or Latino'),
      { url: `${US_CORE}/us-core-birthsex`, valueCode: random.pick(['F', 'M']) },
    ],
    identifier: [
      identifier('MR', 'http://hospital.example', `MRN-${random.between(1e5, 1e6)}`),
      identifier('SS', 'http://hl7.org/fhir/sid/us-ssn', `999-${random.between(10, 99)}-${random.between(1000, 9999)}`),
      identifier('DL', 'urn:oid:2.16.840.1.113883.4.3.25', `S${random.between(1e7, 1e8)}`),
    ],
    telecom: [
      { system: 'phone', value: `555-${random.between(100, 999)}-${random.between(1000, 9999)}`, use: 'home' },
      { system: 'email', value: `p${random.between(1, 1e6)}@example.org` },
    ],
    contact: [{ name: { family: 'Next', given: ['Of', 'Kin'] }, telecom: [{ system: 'phone', value: '555-000-0000' }] }],
    generalPractitioner: [{ reference: `Practitioner/pr-${random.between(1, 50)}` }],
    managingOrganization: { reference: `Organization/o-${random.between(1, 9)}` },
  };
}

function makeQuestionnaireResponse(random: Random, id: string): JsonObject {
  let next = 0;
  const makeItem = (depth: number): JsonObject => ({
    linkId: `q${++next}`,
    text: `Question number ${next}`,
    ...(depth < 2
      ? { item: Array.from({ length: random.between(1, 4) }, () => makeItem(depth + 1)) }
      : { answer: [{ valueString: `Answer ${random.between(1, 99)}`, ...(random.chance(0.2) && { item: [makeItem(3)] }) }] }),
  });
  return {
    resourceType: 'QuestionnaireResponse',
    id,
    status: 'completed',
    questionnaire: 'http://example.org/Questionnaire/intake',
    subject: { reference: `Patient/p-${random.between(1, 100)}` },
    authored: '2026-04-01T10:00:00Z',
    item: Array.from({ length: random.between(2, 3) }, () => makeItem(0)),
  };
}
