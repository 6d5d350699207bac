import type { AllergyIntolerance, AllergyIntoleranceReaction } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { idIn, keyColumns, timestampOf } from './values.ts';

/** A row for each reaction; one with nulls for an allergy without any. */
export const ALLERGY_REACTIONS = makeFlatView<AllergyIntolerance>(
  {
    name: 'allergy_reactions',
    resource: 'AllergyIntolerance',
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('patient_id', 'patient.getReferenceKey(Patient)', 'id'),
          column('clinical_status', 'clinicalStatus.coding.first().code', 'code'),
          column('kind', 'type', 'code'),
          column('category', 'category.first()', 'code'),
          column('criticality', 'criticality', 'code'),
          column('code', 'code.coding.first().code', 'code'),
          column('display', 'code.text', 'string'),
          column('recorded_at', 'recordedDate', 'dateTime'),
        ],
      },
      {
        forEachOrNull: 'reaction',
        column: [
          column('manifestation', 'manifestation.first().coding.first().code', 'code'),
          column('severity', 'severity', 'code'),
        ],
      },
    ],
  },
  (allergy) => {
    const reactions: Partial<AllergyIntoleranceReaction>[] = allergy.reaction?.length ? allergy.reaction : [{}];
    return reactions.map((reaction) => ({
      ...keyColumns(allergy),
      patient_id: idIn(allergy.patient, 'Patient'),
      clinical_status: allergy.clinicalStatus?.coding?.[0]?.code ?? null,
      kind: allergy.type ?? null,
      category: allergy.category?.[0] ?? null,
      criticality: allergy.criticality ?? null,
      code: allergy.code?.coding?.[0]?.code ?? null,
      display: allergy.code?.text ?? null,
      recorded_at: timestampOf(allergy.recordedDate),
      manifestation: reaction.manifestation?.[0]?.coding?.[0]?.code ?? null,
      severity: reaction.severity ?? null,
    }));
  },
);
