import type { Condition } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { idIn, keyColumns, timestampOf } from './values.ts';

/** Conditions that were refuted or entered in error yield no row: the view's own `where`. */
export const CONDITIONS = makeFlatView<Condition>(
  {
    name: 'conditions',
    resource: 'Condition',
    where: [{ path: "verificationStatus.coding.where(code = 'refuted' or code = 'entered-in-error').empty()" }],
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('patient_id', 'subject.getReferenceKey(Patient)', 'id'),
          column('encounter_id', 'encounter.getReferenceKey(Encounter)', 'id'),
          column('clinical_status', 'clinicalStatus.coding.first().code', 'code'),
          column('verification', 'verificationStatus.coding.first().code', 'code'),
          column('code', 'code.coding.first().code', 'code'),
          column('display', 'code.coding.first().display', 'string'),
          column('onset_at', 'onset.ofType(dateTime)', 'dateTime'),
          column('abated_at', 'abatement.ofType(dateTime)', 'dateTime'),
          column('recorded_at', 'recordedDate', 'dateTime'),
        ],
      },
    ],
  },
  (condition) => {
    const codes = condition.verificationStatus?.coding?.map(({ code }) => code) ?? [];
    if (codes.includes('refuted') || codes.includes('entered-in-error')) return [];
    return [
      {
        ...keyColumns(condition),
        patient_id: idIn(condition.subject, 'Patient'),
        encounter_id: idIn(condition.encounter, 'Encounter'),
        clinical_status: condition.clinicalStatus?.coding?.[0]?.code ?? null,
        verification: codes[0] ?? null,
        code: condition.code?.coding?.[0]?.code ?? null,
        display: condition.code?.coding?.[0]?.display ?? null,
        onset_at: timestampOf(condition.onsetDateTime),
        abated_at: timestampOf(condition.abatementDateTime),
        recorded_at: timestampOf(condition.recordedDate),
      },
    ];
  },
);
