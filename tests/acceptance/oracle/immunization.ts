import type { Immunization } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { idIn, keyColumns, timestampOf } from './values.ts';

export const IMMUNIZATIONS = makeFlatView<Immunization>(
  {
    name: 'immunizations',
    resource: 'Immunization',
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('patient_id', 'patient.getReferenceKey(Patient)', 'id'),
          column('encounter_id', 'encounter.getReferenceKey(Encounter)', 'id'),
          column('status', 'status', 'code'),
          column('vaccine', "vaccineCode.coding.where(system = 'http://hl7.org/fhir/sid/cvx').code.first()", 'code'),
          column('display', 'vaccineCode.text', 'string'),
          column('given_at', 'occurrence.ofType(dateTime)', 'dateTime'),
          column('primary_source', 'primarySource', 'boolean'),
          column('place', 'location.display', 'string'),
        ],
      },
    ],
  },
  (immunization) => [
    {
      ...keyColumns(immunization),
      patient_id: idIn(immunization.patient, 'Patient'),
      encounter_id: idIn(immunization.encounter, 'Encounter'),
      status: immunization.status ?? null,
      vaccine: immunization.vaccineCode?.coding?.find(({ system }) => system === 'http://hl7.org/fhir/sid/cvx')?.code ?? null,
      display: immunization.vaccineCode?.text ?? null,
      given_at: timestampOf(immunization.occurrenceDateTime),
      primary_source: immunization.primarySource ?? null,
      place: immunization.location?.display ?? null,
    },
  ],
);
