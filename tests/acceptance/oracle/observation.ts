import type { Observation } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { idIn, keyColumns, timestampOf } from './values.ts';

/** Values that stand for themselves and values of components: one `unionAll`. */
export const OBSERVATION_VALUES = makeFlatView<Observation>(
  {
    name: 'observation_values',
    resource: 'Observation',
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('patient_id', 'subject.getReferenceKey(Patient)', 'id'),
          column('encounter_id', 'encounter.getReferenceKey(Encounter)', 'id'),
          column('status', 'status', 'code'),
          column('category', 'category.first().coding.first().code', 'code'),
          column('effective_at', 'effective.ofType(dateTime)', 'dateTime'),
          column('issued_at', 'issued', 'instant'),
        ],
      },
      {
        unionAll: [
          {
            column: [
              column('code', 'code.coding.first().code', 'code'),
              column('value', 'value.ofType(Quantity).value', 'decimal'),
              column('unit', 'value.ofType(Quantity).unit', 'string'),
              column('value_text', 'value.ofType(CodeableConcept).text', 'string'),
            ],
          },
          {
            forEach: 'component',
            column: [
              column('code', 'code.coding.first().code', 'code'),
              column('value', 'value.ofType(Quantity).value', 'decimal'),
              column('unit', 'value.ofType(Quantity).unit', 'string'),
              column('value_text', 'value.ofType(CodeableConcept).text', 'string'),
            ],
          },
        ],
      },
    ],
  },
  (observation) =>
    [observation, ...(observation.component ?? [])].map((measured) => ({
      ...keyColumns(observation),
      patient_id: idIn(observation.subject, 'Patient'),
      encounter_id: idIn(observation.encounter, 'Encounter'),
      status: observation.status,
      category: observation.category?.[0]?.coding?.[0]?.code ?? null,
      effective_at: timestampOf(observation.effectiveDateTime),
      issued_at: timestampOf(observation.issued),
      code: measured.code.coding?.[0]?.code ?? null,
      value: measured.valueQuantity?.value ?? null,
      unit: measured.valueQuantity?.unit ?? null,
      value_text: measured.valueCodeableConcept?.text ?? null,
    })),
);
