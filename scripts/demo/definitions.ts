/** What the demo creates through the public API: a topic, a view and a destination, as a user would. */

export const TOPIC = {
  resourceType: 'AidboxSubscriptionTopic',
  id: 'lakehouse-demo-patients',
  url: 'http://example.org/subscriptions/lakehouse-demo-patients',
  status: 'active',
  trigger: [{ resource: 'Patient', supportedInteraction: ['create', 'update', 'delete'] }],
};

export const VIEW = {
  resourceType: 'ViewDefinition',
  id: 'lakehouse-demo-patients',
  name: 'lakehouse_demo_patients',
  resource: 'Patient',
  status: 'active',
  select: [
    {
      column: [
        { name: 'id', path: 'getResourceKey()', type: 'id' },
        { name: 'ts', path: 'meta.lastUpdated', type: 'instant' },
        { name: 'version_id', path: 'meta.versionId', type: 'id' },
        { name: 'gender', path: 'gender', type: 'code' },
        { name: 'birth_date', path: 'birthDate', type: 'date' },
        { name: 'active', path: 'active', type: 'boolean' },
        { name: 'city', path: 'address.first().city', type: 'string' },
      ],
    },
    {
      forEachOrNull: "name.where(use = 'official').first()",
      column: [
        { name: 'family_name', path: 'family', type: 'string' },
        { name: 'given_name', path: "given.join(' ')", type: 'string' },
      ],
    },
  ],
};

export const DESTINATION_ID = 'lakehouse-demo';

/** @param where parameters of the write mode */
export function makeDestination(where: readonly object[]): object {
  return {
    resourceType: 'AidboxTopicDestination',
    id: DESTINATION_ID,
    topic: TOPIC.url,
    kind: 'data-lakehouse-at-least-once',
    meta: {
      profile: ['http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-dataLakehouseAtLeastOnceProfile'],
    },
    parameter: [
      ...where,
      { name: 'viewDefinition', valueString: VIEW.name },
      { name: 'batchSize', valueUnsignedInt: 200 },
      { name: 'sendIntervalMs', valueUnsignedInt: 500 },
      { name: 'skipInitialExport', valueBoolean: true },
    ],
  };
}
