import { PATIENT_FLAT } from '../../tests/helpers/views.ts';
import {
  flattenDemographics,
  flattenObservation,
  flattenPatient,
  flattenResponse,
  flattenWide,
  type Flatten,
} from './flatten-by-hand.ts';

export interface FlattenCase {
  readonly name: string;
  readonly type: 'Patient' | 'Observation' | 'QuestionnaireResponse';
  readonly view: object;
  /** The same rows by plain JavaScript, as one would write it for data of the right form. */
  readonly byHand?: Flatten;
}

type Column = readonly [name: string, path: string];

function makeView(resource: string, select: readonly object[], rest: object = {}): object {
  return { resourceType: 'ViewDefinition', name: 'bench', status: 'active', resource, select, ...rest };
}

const columns = (list: readonly Column[]): object => ({ column: list.map(([name, path]) => ({ name, path })) });

const RACE = "extension('http://hl7.org/fhir/us/core/StructureDefinition/us-core-race')";
const ETHNICITY = "extension('http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity')";
const OFFICIAL = "name.where(use = 'official').first()";

const DEMOGRAPHICS = makeView(
  'Patient',
  [
    columns([
      ['id', 'getResourceKey()'],
      ['mrn', 'identifier.where(system = %mrn).first().value'],
      ['ssn', "identifier.where(system = 'http://hl7.org/fhir/sid/us-ssn').first().value"],
      ['active', 'active'],
      ['family', `${OFFICIAL}.family`],
      ['given', `${OFFICIAL}.given.join(' ')`],
      ['gender', 'gender'],
      ['birth_date', 'birthDate'],
      ['is_deceased', 'deceased.exists()'],
      ['died_at', 'deceased.ofType(dateTime)'],
      ['marital_status', 'maritalStatus.coding.first().code'],
      ['phone', "telecom.where(system = 'phone').first().value"],
      ['email', "telecom.where(system = 'email').first().value"],
      ['street', "address.first().line.join(', ')"],
      ['city', 'address.first().city'],
      ['postal_code', 'address.first().postalCode'],
      ['country', 'address.first().country'],
      ['language', 'communication.first().language.coding.first().code'],
      ['race', `${RACE}.extension('ombCategory').value.ofType(Coding).code.first()`],
      ['race_text', `${RACE}.extension('text').value.ofType(string).first()`],
      ['ethnicity', `${ETHNICITY}.extension('ombCategory').value.ofType(Coding).code.first()`],
      ['ethnicity_text', `${ETHNICITY}.extension('text').value.ofType(string).first()`],
      ['birth_sex', "extension('http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex').value.ofType(code).first()"],
    ]),
  ],
  {
    constant: [{ name: 'mrn', valueUri: 'http://hospital.example' }],
    where: [{ path: 'identifier.where(system = %mrn).exists()' }],
  },
);

const OBSERVATION = makeView('Observation', [
  columns([
    ['id', 'getResourceKey()'],
    ['patient_id', 'subject.getReferenceKey(Patient)'],
    ['effective', 'effective.ofType(dateTime)'],
    ['code', 'code.coding.first().code'],
  ]),
  {
    forEachOrNull: 'component',
    column: [{ name: 'component_code', path: 'code.coding.first().code' }],
    unionAll: [
      {
        column: [
          { name: 'kind', path: "'quantity'" },
          { name: 'value', path: 'value.ofType(Quantity).value', type: 'decimal' },
        ],
      },
      {
        column: [
          { name: 'kind', path: "'integer'" },
          { name: 'value', path: 'value.ofType(integer)', type: 'decimal' },
        ],
      },
      {
        forEach: 'referenceRange',
        column: [
          { name: 'kind', path: "'low'" },
          { name: 'value', path: 'low.value', type: 'decimal' },
        ],
      },
    ],
  },
]);

const RESPONSE = makeView('QuestionnaireResponse', [
  columns([
    ['id', 'getResourceKey()'],
    ['patient_id', 'subject.getReferenceKey(Patient)'],
  ]),
  {
    repeat: ['item', 'answer.item'],
    column: [
      { name: 'no', path: '%rowIndex' },
      { name: 'link_id', path: 'linkId' },
      { name: 'question', path: 'text' },
      { name: 'answer', path: 'answer.first().value.ofType(string)' },
    ],
  },
]);

/** 60 columns. */
const WIDE = makeView('Patient', [
  columns([
    ['id', 'id'],
    ['version', 'meta.versionId'],
    ['ts', 'meta.lastUpdated'],
    ['profile', 'meta.profile.first()'],
    ['active', 'active'],
    ['gender', 'gender'],
    ['birth_date', 'birthDate'],
    ['deceased', 'deceased.ofType(boolean)'],
    ['died_at', 'deceased.ofType(dateTime)'],
    ['birth_order', 'multipleBirth.ofType(integer)'],
    ['marital_code', 'maritalStatus.coding[0].code'],
    ['marital_system', 'maritalStatus.coding[0].system'],
    ['marital_text', 'maritalStatus.text'],
    ['text_status', 'text.status'],
    ['organization_id', 'managingOrganization.getReferenceKey(Organization)'],
    ['practitioner_id', 'generalPractitioner[0].getReferenceKey(Practitioner)'],
    ...[0, 1, 2].flatMap((index): Column[] => [
      [`id${index}_system`, `identifier[${index}].system`],
      [`id${index}_value`, `identifier[${index}].value`],
      [`id${index}_type`, `identifier[${index}].type.coding[0].code`],
      [`id${index}_type_text`, `identifier[${index}].type.text`],
    ]),
    ...[0, 1].flatMap((index): Column[] => [
      [`name${index}_use`, `name[${index}].use`],
      [`name${index}_family`, `name[${index}].family`],
      [`name${index}_given`, `name[${index}].given.join(' ')`],
      [`name${index}_text`, `name[${index}].text`],
      [`telecom${index}_system`, `telecom[${index}].system`],
      [`telecom${index}_value`, `telecom[${index}].value`],
      [`telecom${index}_use`, `telecom[${index}].use`],
      [`address${index}_use`, `address[${index}].use`],
      [`address${index}_line`, `address[${index}].line.join(', ')`],
      [`address${index}_city`, `address[${index}].city`],
      [`address${index}_postal`, `address[${index}].postalCode`],
      [`address${index}_country`, `address[${index}].country`],
    ]),
    ['contact_family', 'contact[0].name.family'],
    ['contact_given', "contact[0].name.given.join(' ')"],
    ['contact_phone', "contact[0].telecom.where(system = 'phone').first().value"],
    ['language', 'communication[0].language.coding[0].code'],
    ['preferred', 'communication[0].preferred'],
    ['names', 'name.count()'],
    ['has_email', "telecom.where(system = 'email').exists()"],
    ['email', "telecom.where(system = 'email').first().value"],
  ]),
]);

/** Only expressions that the compiler does not know. */
const FALLBACKS = makeView('Patient', [
  columns([
    ['years', '2026 - birthDate.toString().substring(0, 4).toInteger()'],
    ['families', 'name.family.distinct().count()'],
    ['initials', 'name.given.select(toChars().first()).distinct().count()'],
    ['born_before', 'birthDate < @1980-01-01'],
  ]),
]);

export const FLATTEN_CASES: readonly FlattenCase[] = [
  { name: 'a patient_flat', type: 'Patient', view: PATIENT_FLAT, byHand: flattenPatient },
  { name: 'b demographics', type: 'Patient', view: DEMOGRAPHICS, byHand: flattenDemographics },
  { name: 'c observation', type: 'Observation', view: OBSERVATION, byHand: flattenObservation },
  { name: 'd repeat', type: 'QuestionnaireResponse', view: RESPONSE, byHand: flattenResponse },
  { name: 'e 60 columns', type: 'Patient', view: WIDE, byHand: flattenWide },
  { name: 'f only fallbacks', type: 'Patient', view: FALLBACKS },
];
