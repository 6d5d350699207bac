import type { MedicationRequest } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { idIn, keyColumns, timestampOf } from './values.ts';

export const PRESCRIPTIONS = makeFlatView<MedicationRequest>(
  {
    name: 'prescriptions',
    resource: 'MedicationRequest',
    select: [
      {
        column: [
          column('id', 'getResourceKey()', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('patient_id', 'subject.getReferenceKey(Patient)', 'id'),
          column('condition_id', 'reasonReference.first().getReferenceKey(Condition)', 'id'),
          column('status', 'status', 'code'),
          column('code', 'medication.ofType(CodeableConcept).coding.first().code', 'code'),
          column('display', 'medication.ofType(CodeableConcept).text', 'string'),
          column('authored_at', 'authoredOn', 'dateTime'),
          column('as_needed', 'dosageInstruction.first().asNeeded.ofType(boolean)', 'boolean'),
          column('frequency', 'dosageInstruction.first().timing.repeat.frequency', 'positiveInt'),
          column('period', 'dosageInstruction.first().timing.repeat.period', 'decimal'),
          column('dose', 'dosageInstruction.first().doseAndRate.first().dose.ofType(Quantity).value', 'decimal'),
        ],
      },
    ],
  },
  (prescription) => {
    const dosage = prescription.dosageInstruction?.[0];
    return [
      {
        ...keyColumns(prescription),
        patient_id: idIn(prescription.subject, 'Patient'),
        condition_id: idIn(prescription.reasonReference?.[0], 'Condition'),
        status: prescription.status ?? null,
        code: prescription.medicationCodeableConcept?.coding?.[0]?.code ?? null,
        display: prescription.medicationCodeableConcept?.text ?? null,
        authored_at: timestampOf(prescription.authoredOn),
        as_needed: dosage?.asNeededBoolean ?? null,
        frequency: dosage?.timing?.repeat?.frequency ?? null,
        period: dosage?.timing?.repeat?.period ?? null,
        dose: dosage?.doseAndRate?.[0]?.doseQuantity?.value ?? null,
      },
    ];
  },
);
