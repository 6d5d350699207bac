import type { Practitioner } from '@medplum/fhirtypes';
import { column, makeFlatView } from './flat-view.ts';
import { keyColumns, numberInExtension } from './values.ts';

const NPI = 'http://hl7.org/fhir/sid/us-npi';
const ENCOUNTERS = 'http://synthetichealth.github.io/synthea/utilization-encounters-extension';

export const PRACTITIONERS = makeFlatView<Practitioner>(
  {
    name: 'practitioners',
    resource: 'Practitioner',
    select: [
      {
        column: [
          column('id', 'id', 'id'),
          column('ts', 'meta.lastUpdated', 'instant'),
          column('version_id', 'meta.versionId', 'id'),
          column('npi', `identifier.where(system = '${NPI}').value.first()`, 'string'),
          column('active', 'active', 'boolean'),
          column('gender', 'gender', 'code'),
          column('family', 'name.first().family', 'string'),
          column('given', 'name.first().given.first()', 'string'),
          column('email', "telecom.where(system = 'email').value.first()", 'string'),
          column('city', 'address.first().city', 'string'),
          column('state', 'address.first().state', 'string'),
          column('postal_code', 'address.first().postalCode', 'string'),
          column('encounters', `extension('${ENCOUNTERS}').value.ofType(integer)`, 'integer'),
        ],
      },
    ],
  },
  (practitioner) => [
    {
      ...keyColumns(practitioner),
      npi: practitioner.identifier?.find(({ system }) => system === NPI)?.value ?? null,
      active: practitioner.active ?? null,
      gender: practitioner.gender ?? null,
      family: practitioner.name?.[0]?.family ?? null,
      given: practitioner.name?.[0]?.given?.[0] ?? null,
      email: practitioner.telecom?.find(({ system }) => system === 'email')?.value ?? null,
      city: practitioner.address?.[0]?.city ?? null,
      state: practitioner.address?.[0]?.state ?? null,
      postal_code: practitioner.address?.[0]?.postalCode ?? null,
      encounters: numberInExtension(practitioner.extension, ENCOUNTERS),
    },
  ],
);
