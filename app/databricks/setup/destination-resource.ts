import type { Mode } from './required-grants.ts';

export interface DestinationFacts {
  readonly mode: Mode;
  readonly destinationId: string;
  readonly topic: string;
  readonly kind: string;
  readonly profile: string;
  readonly viewName: string;
  readonly workspaceUrl: string;
  /** For managed-zerobus. */
  readonly workspaceId?: string;
  /** Of workspace and bucket. */
  readonly region: string;
  readonly clientId: string;
  /** Name of the mounted file that holds the secret; the secret itself is never printed. */
  readonly secretName: string;
  readonly table: readonly string[];
  /** Not for external-direct. */
  readonly warehouseId?: string;
  /** Absent: no initial export. */
  readonly stagingTablePath?: string;
}

/** The AidboxTopicDestination for a workspace that was set up (S0.56). Its secret is a reference. */
export function makeDestinationResource(facts: DestinationFacts): unknown {
  const { mode, workspaceId, warehouseId, stagingTablePath } = facts;
  const isManaged = mode !== 'external-direct';
  const text = (name: string, valueString: string | undefined): unknown[] =>
    valueString === undefined ? [] : [{ name, valueString }];
  const extension = [
    { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' },
    { url: 'http://health-samurai.io/fhir/secret-reference', valueString: facts.secretName },
  ];
  return {
    resourceType: 'AidboxTopicDestination',
    id: facts.destinationId,
    topic: facts.topic,
    kind: facts.kind,
    meta: { profile: [facts.profile] },
    parameter: [
      ...text('writeMode', mode),
      ...text('databricksWorkspaceUrl', facts.workspaceUrl),
      ...(mode === 'managed-zerobus'
        ? [...text('databricksWorkspaceId', workspaceId), ...text('databricksRegion', facts.region)]
        : []),
      ...text('databricksClientId', facts.clientId),
      { name: 'databricksClientSecret', _valueString: { extension } },
      ...text('tableName', facts.table.join('.')),
      ...(isManaged ? text('databricksWarehouseId', warehouseId) : []),
      ...(isManaged && stagingTablePath === undefined ? [] : text('awsRegion', facts.region)),
      ...(isManaged ? text('stagingTablePath', stagingTablePath) : []),
      ...text('viewDefinition', facts.viewName),
      { name: 'batchSize', valueUnsignedInt: 50 },
      { name: 'sendIntervalMs', valueUnsignedInt: 5000 },
      ...(isManaged && stagingTablePath === undefined ? [{ name: 'skipInitialExport', valueBoolean: true }] : []),
    ],
  };
}
