/** The rows of the views in flatten-views.ts by plain JavaScript: what the compiled views are measured against. */

import type {
  CodeableConcept,
  ContactPoint,
  Extension,
  HumanName,
  Observation,
  Patient,
  QuestionnaireResponse,
  QuestionnaireResponseItem,
  Reference,
} from '@medplum/fhirtypes';

export type Row = readonly (string | number | boolean | null)[];
export type Flatten = (resource: never) => readonly Row[];

export function flattenPatient(patient: Patient): readonly Row[] {
  const name = patient.name?.find(({ use }) => use === 'official');
  if (name === undefined) return [];
  return [[patient.id ?? null, patient.gender ?? null, patient.birthDate ?? null, name.family ?? null, joined(name.given, ' ')]];
}

function joined(parts: readonly string[] | undefined, separator: string): string | null {
  return parts === undefined || parts.length === 0 ? null : parts.join(separator);
}

/** Id in a reference to this type. */
function keyOf(reference: Reference | undefined, type: string): string | null {
  const text = reference?.reference;
  return text?.startsWith(`${type}/`) === true ? text.slice(type.length + 1) : null;
}

const firstCode = (concept: CodeableConcept | undefined): string | null => concept?.coding?.[0]?.code ?? null;
const bySystem = (list: readonly ContactPoint[] | undefined, system: string): string | null =>
  list?.find((each) => each.system === system)?.value ?? null;
const byUrl = (list: readonly Extension[] | undefined, url: string): Extension | undefined =>
  list?.find((each) => each.url === url);

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';

export function flattenDemographics(patient: Patient): readonly Row[] {
  const mrn = patient.identifier?.find(({ system }) => system === 'http://hospital.example');
  if (mrn === undefined) return [];
  const name = patient.name?.find(({ use }) => use === 'official');
  const race = byUrl(patient.extension, `${US_CORE}/us-core-race`)?.extension;
  const ethnicity = byUrl(patient.extension, `${US_CORE}/us-core-ethnicity`)?.extension;
  const address = patient.address?.[0];
  return [
    [
      patient.id ?? null,
      mrn.value ?? null,
      patient.identifier?.find(({ system }) => system === 'http://hl7.org/fhir/sid/us-ssn')?.value ?? null,
      patient.active ?? null,
      name?.family ?? null,
      joined(name?.given, ' '),
      patient.gender ?? null,
      patient.birthDate ?? null,
      patient.deceasedBoolean !== undefined || patient.deceasedDateTime !== undefined,
      patient.deceasedDateTime ?? null,
      firstCode(patient.maritalStatus),
      bySystem(patient.telecom, 'phone'),
      bySystem(patient.telecom, 'email'),
      joined(address?.line, ', '),
      address?.city ?? null,
      address?.postalCode ?? null,
      address?.country ?? null,
      firstCode(patient.communication?.[0]?.language),
      byUrl(race, 'ombCategory')?.valueCoding?.code ?? null,
      byUrl(race, 'text')?.valueString ?? null,
      byUrl(ethnicity, 'ombCategory')?.valueCoding?.code ?? null,
      byUrl(ethnicity, 'text')?.valueString ?? null,
      byUrl(patient.extension, `${US_CORE}/us-core-birthsex`)?.valueCode ?? null,
    ],
  ];
}

export function flattenObservation(observation: Observation): readonly Row[] {
  const rows: Row[] = [];
  const id = observation.id ?? null;
  const patientId = keyOf(observation.subject, 'Patient');
  const effective = observation.effectiveDateTime ?? null;
  const code = firstCode(observation.code);
  const components = observation.component;
  if (components === undefined || components.length === 0) return [[id, patientId, effective, code, null, null, null]];
  for (const component of components) {
    const componentCode = firstCode(component.code);
    rows.push([id, patientId, effective, code, componentCode, 'quantity', component.valueQuantity?.value ?? null]);
    rows.push([id, patientId, effective, code, componentCode, 'integer', component.valueInteger ?? null]);
    for (const range of component.referenceRange ?? []) {
      rows.push([id, patientId, effective, code, componentCode, 'low', range.low?.value ?? null]);
    }
  }
  return rows;
}

export function flattenResponse(response: QuestionnaireResponse): readonly Row[] {
  const rows: Row[] = [];
  const id = response.id ?? null;
  const patientId = keyOf(response.subject, 'Patient');
  const visit = (items: readonly QuestionnaireResponseItem[] | undefined): void => {
    if (items === undefined) return;
    for (const item of items) {
      rows.push([id, patientId, rows.length, item.linkId ?? null, item.text ?? null, item.answer?.[0]?.valueString ?? null]);
      visit(item.item);
      if (item.answer !== undefined) for (const answer of item.answer) visit(answer.item);
    }
  };
  visit(response.item);
  return rows;
}

export function flattenWide(patient: Patient): readonly Row[] {
  const { meta, identifier, name, telecom, address, maritalStatus } = patient;
  const contact = patient.contact?.[0];
  const communication = patient.communication?.[0];
  const row: (string | number | boolean | null)[] = [
    patient.id ?? null,
    meta?.versionId ?? null,
    meta?.lastUpdated ?? null,
    meta?.profile?.[0] ?? null,
    patient.active ?? null,
    patient.gender ?? null,
    patient.birthDate ?? null,
    patient.deceasedBoolean ?? null,
    patient.deceasedDateTime ?? null,
    patient.multipleBirthInteger ?? null,
    maritalStatus?.coding?.[0]?.code ?? null,
    maritalStatus?.coding?.[0]?.system ?? null,
    maritalStatus?.text ?? null,
    patient.text?.status ?? null,
    keyOf(patient.managingOrganization, 'Organization'),
    keyOf(patient.generalPractitioner?.[0], 'Practitioner'),
  ];
  for (let index = 0; index < 3; index++) {
    const each = identifier?.[index];
    row.push(each?.system ?? null, each?.value ?? null, firstCode(each?.type), each?.type?.text ?? null);
  }
  for (let index = 0; index < 2; index++) {
    const each: HumanName | undefined = name?.[index];
    const point = telecom?.[index];
    const place = address?.[index];
    row.push(each?.use ?? null, each?.family ?? null, joined(each?.given, ' '), each?.text ?? null);
    row.push(point?.system ?? null, point?.value ?? null, point?.use ?? null);
    row.push(
      place?.use ?? null,
      joined(place?.line, ', '),
      place?.city ?? null,
      place?.postalCode ?? null,
      place?.country ?? null,
    );
  }
  row.push(
    contact?.name?.family ?? null,
    joined(contact?.name?.given, ' '),
    bySystem(contact?.telecom, 'phone'),
    firstCode(communication?.language),
    communication?.preferred ?? null,
    name?.length ?? 0,
    telecom?.some(({ system }) => system === 'email') ?? false,
    bySystem(telecom, 'email'),
  );
  return [row];
}
