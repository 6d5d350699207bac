import type { Procedure } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { idIn, keyColumns, timestampOf } from './values.ts';

export const PROCEDURES = makeFlatView<Procedure>(
  {
    name: 'procedures',
    resource: 'Procedure',
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('patient_id', 'subject.getReferenceKey(Patient)', 'id'),
          column('encounter_id', 'encounter.getReferenceKey(Encounter)', 'id'),
          column('condition_id', 'reasonReference.first().getReferenceKey(Condition)', 'id'),
          column('status', 'status', 'code'),
          column('code', 'code.coding.first().code', 'code'),
          column('display', 'code.text', 'string'),
          column('started_at', 'performed.ofType(Period).start', 'dateTime'),
          column('ended_at', 'performed.ofType(Period).end', 'dateTime'),
          column('place', 'location.display', 'string'),
        ],
      },
    ],
  },
  (procedure) => [
    {
      ...keyColumns(procedure),
      patient_id: idIn(procedure.subject, 'Patient'),
      encounter_id: idIn(procedure.encounter, 'Encounter'),
      condition_id: idIn(procedure.reasonReference?.[0], 'Condition'),
      status: procedure.status ?? null,
      code: procedure.code?.coding?.[0]?.code ?? null,
      display: procedure.code?.text ?? null,
      started_at: timestampOf(procedure.performedPeriod?.start),
      ended_at: timestampOf(procedure.performedPeriod?.end),
      place: procedure.location?.display ?? null,
    },
  ],
);
