import type { Encounter } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { idIn, keyColumns, timestampOf } from './values.ts';

export const ENCOUNTERS = makeFlatView<Encounter>(
  {
    name: 'encounters',
    resource: 'Encounter',
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('patient_id', 'subject.getReferenceKey(Patient)', 'id'),
          column('patient_name', 'subject.display', 'string'),
          column('status', 'status', 'code'),
          column('class', 'class.code', 'code'),
          column('kind', 'type.first().coding.first().code', 'code'),
          column('started_at', 'period.start', 'dateTime'),
          column('ended_at', 'period.end', 'dateTime'),
          column('reason', 'reasonCode.first().coding.first().display', 'string'),
          column('practitioner', 'participant.first().individual.display', 'string'),
          column('is_finished', "status = 'finished'", 'boolean'),
        ],
      },
    ],
  },
  (encounter) => [
    {
      ...keyColumns(encounter),
      patient_id: idIn(encounter.subject, 'Patient'),
      patient_name: encounter.subject?.display ?? null,
      status: encounter.status,
      class: encounter.class.code ?? null,
      kind: encounter.type?.[0]?.coding?.[0]?.code ?? null,
      started_at: timestampOf(encounter.period?.start),
      ended_at: timestampOf(encounter.period?.end),
      reason: encounter.reasonCode?.[0]?.coding?.[0]?.display ?? null,
      practitioner: encounter.participant?.[0]?.individual?.display ?? null,
      is_finished: encounter.status === 'finished',
    },
  ],
);
