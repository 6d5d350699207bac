import type { Patient } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { dateOf, keyColumns, numberInExtension, timestampOf } from './values.ts';

const SSN = 'http://hl7.org/fhir/sid/us-ssn';
const QALY = 'http://synthetichealth.github.io/synthea/quality-adjusted-life-years';

/** A row for each name; a patient without a name has none. */
export const PATIENT_NAMES = makeFlatView<Patient>(
  {
    name: 'patient_names',
    resource: 'Patient',
    constant: [{ name: 'ssn_system', valueUri: SSN }],
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('gender', 'gender', 'code'),
          column('birth_date', 'birthDate', 'date'),
          column('died_at', 'deceased.ofType(dateTime)', 'dateTime'),
          column('is_twin', 'multipleBirth.ofType(boolean)', 'boolean'),
          column('marital_status', 'maritalStatus.coding.first().code', 'code'),
          column('ssn', 'identifier.where(system = %ssn_system).value.first()', 'string'),
          column('quality_years', `extension('${QALY}').value.ofType(decimal)`, 'decimal'),
        ],
      },
      {
        forEach: 'name',
        column: [
          column('name_use', 'use', 'code'),
          column('family', 'family', 'string'),
          column('given', 'given', 'string', { collection: true }),
          column('full_given', "given.join(' ')", 'string'),
        ],
      },
    ],
  },
  (patient) =>
    (patient.name ?? []).map((name) => ({
      ...keyColumns(patient),
      gender: patient.gender ?? null,
      birth_date: dateOf(patient.birthDate),
      died_at: timestampOf(patient.deceasedDateTime),
      is_twin: patient.multipleBirthBoolean ?? null,
      marital_status: patient.maritalStatus?.coding?.[0]?.code ?? null,
      ssn: patient.identifier?.find(({ system }) => system === SSN)?.value ?? null,
      quality_years: numberInExtension(patient.extension, QALY),
      name_use: name.use ?? null,
      family: name.family ?? null,
      given: name.given ?? [],
      full_given: name.given?.join(' ') ?? null,
    })),
);
