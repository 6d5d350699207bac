import { describe, expect, it } from '@jest/globals';
import { assertAppendable, findObstacles } from '../../../app/delta/gate.ts';
import { aSnapshot, featureProtocol, LEGACY, type TableSpec } from '../../helpers/delta-table.ts';

const mapped = { 'delta.columnMapping.id': 1, 'delta.columnMapping.physicalName': 'col-1' };

const accepted: [string, TableSpec][] = [
  ['a table of the lowest protocol', {}],
  ['the highest protocol without lists', { protocol: { minReaderVersion: 2, minWriterVersion: 6 } }],
  [
    'features that do not matter to an append',
    {
      protocol: featureProtocol(
        'appendOnly',
        'deletionVectors',
        'changeDataFeed',
        'v2Checkpoint',
        'vacuumProtocolCheck',
        'domainMetadata',
        'clustering',
      ),
    },
  ],
  [
    'features that are supported, but not in use',
    {
      protocol: featureProtocol(
        'checkConstraints',
        'generatedColumns',
        'identityColumns',
        'invariants',
        'icebergCompatV2',
        'variantType',
        'typeWidening',
      ),
    },
  ],
  [
    'in-commit timestamps',
    { protocol: featureProtocol('inCommitTimestamp'), configuration: { 'delta.enableInCommitTimestamps': 'true' } },
  ],
  [
    'column mapping',
    {
      protocol: featureProtocol('columnMapping'),
      configuration: { 'delta.columnMapping.mode': 'name' },
      fields: [{ name: 'id', metadata: mapped }],
    },
  ],
  ['times without zone', { protocol: featureProtocol('timestampNtz'), fields: [{ name: 't', type: 'timestamp_ntz' }] }],
  ['NOT NULL columns', { fields: [{ name: 'id', nullable: false }] }],
  [
    'suspended row tracking',
    { protocol: featureProtocol('rowTracking'), configuration: { 'delta.rowTrackingSuspended': 'true' } },
  ],
  [
    'columns that cannot be written but may be null',
    { fields: [{ name: 'id' }, { name: 'v', type: 'void' }, { name: 's', type: { type: 'struct', fields: [] } }] },
  ],
  [
    'default values of columns that are filled',
    { protocol: featureProtocol('allowColumnDefaults'), fields: [{ name: 'id', metadata: { CURRENT_DEFAULT: "'x'" } }] },
  ],
];

const refused: [string, TableSpec, string][] = [
  ['a newer reader version', { protocol: { minReaderVersion: 4, minWriterVersion: 2 } }, 'reader version 4'],
  ['a newer writer version', { protocol: { minReaderVersion: 1, minWriterVersion: 8 } }, 'writer version 8'],
  ['a feature nobody knows', { protocol: featureProtocol('timeMachine') }, 'feature timeMachine'],
  ['commits through a catalog', { protocol: featureProtocol('catalogManaged') }, 'feature catalogManaged'],
  ['collations', { protocol: { ...featureProtocol(), writerFeatures: ['collations'] } }, 'feature collations'],
  ['row tracking', { protocol: featureProtocol('rowTracking') }, 'rowTracking'],
  ['another file format', { metaData: { format: { provider: 'orc' } } }, 'data files in the format orc'],
  ['partitions', { metaData: { partitionColumns: ['id'] } }, 'partitions by id'],
  ['check constraints', { configuration: { 'delta.constraints.positive': 'x > 0' } }, 'checkConstraints (positive)'],
  [
    'Iceberg compatibility',
    { configuration: { 'delta.enableIcebergCompatV2': 'true' } },
    'Iceberg compatibility (delta.enableIcebergCompatV2)',
  ],
  [
    'coordinated commits',
    { configuration: { 'delta.coordinatedCommits.commitCoordinator-preview': 'x' } },
    'coordinated commits',
  ],
  ['an unknown mapping mode', { configuration: { 'delta.columnMapping.mode': 'magic' } }, 'column mapping mode magic'],
  ['invariants', { fields: [{ name: 'a', metadata: { 'delta.invariants': '{}' } }] }, 'invariants (column a)'],
  [
    'invariants of nested fields',
    {
      fields: [
        {
          name: 'a',
          type: {
            type: 'array',
            containsNull: true,
            elementType: {
              type: 'struct',
              fields: [{ name: 'b', type: 'long', nullable: true, metadata: { 'delta.invariants': '{}' } }],
            },
          },
        },
      ],
    },
    'invariants (column a.element.b)',
  ],
  [
    'generated columns',
    { fields: [{ name: 'a', metadata: { 'delta.generationExpression': 'year(b)' } }] },
    'generatedColumns (column a)',
  ],
  [
    'identity columns',
    { fields: [{ name: 'a', type: 'long', metadata: { 'delta.identity.start': 1 } }] },
    'identityColumns (column a)',
  ],
  ['variants', { fields: [{ name: 'a', type: 'variant' }] }, 'variantType (column a)'],
  [
    'NOT NULL columns that cannot be written',
    { fields: [{ name: 'a', type: { type: 'struct', fields: [] }, nullable: false }] },
    'NOT NULL without a value for it (column a',
  ],
  ['no columns', { metaData: { schemaString: undefined } }, 'a schema without columns'],
];

describe('the gate in front of an append', () => {
  it.each(accepted)('lets pass: %s', (_what, spec) => {
    expect(findObstacles(aSnapshot(spec))).toEqual([]);
    expect(() => assertAppendable(aSnapshot(spec))).not.toThrow();
  });

  it.each(refused)('refuses by name: %s', (_what, spec, name) => {
    expect(findObstacles(aSnapshot(spec))).toEqual([expect.stringContaining(name)]);
  });

  it('lists everything that is in the way', () => {
    const snapshot = aSnapshot({
      protocol: featureProtocol('timeMachine', 'rowTracking'),
      metaData: { partitionColumns: ['id'] },
    });
    expect(() => assertAppendable(snapshot)).toThrow(
      expect.objectContaining({
        code: 'DELTA_FEATURE_UNSUPPORTED',
        message: expect.stringMatching(/timeMachine.*partitions by id.*rowTracking/),
      }),
    );
  });

  it('looks at the columns that are left out', () => {
    const protocol = featureProtocol('allowColumnDefaults');
    const fields = [{ name: 'id' }, { name: 'a', nullable: false }, { name: 'b', metadata: { CURRENT_DEFAULT: '1' } }];
    expect(findObstacles(aSnapshot({ protocol, fields }), ['ID', 'a', 'b'])).toEqual([]);
    expect(findObstacles(aSnapshot({ protocol, fields }), ['id'])).toEqual([
      expect.stringContaining('NOT NULL without a value for it (column a'),
      expect.stringContaining('default value that would have to be computed (column b'),
    ]);
    expect(findObstacles(aSnapshot({ protocol: LEGACY, fields }), ['id', 'a'])).toEqual([]);
  });
});
