import { AppError } from '../errors/app-error.ts';
import type { Protocol } from './actions.ts';
import { isPropertyTrue } from './properties.ts';
import type { SchemaField } from './schema.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Table features that an append of new rows can live with, unless the checks of settings and columns below find them in use.
 * Everything else is refused by name: an unknown feature may change what a correct commit is.
 */
const KNOWN_FEATURES: ReadonlySet<string> = new Set([
  'allowColumnDefaults',
  'appendOnly',
  'changeDataFeed',
  'checkConstraints',
  'checkpointProtection',
  'clustering',
  'columnMapping',
  'deletionVectors',
  'domainMetadata',
  'generatedColumns',
  'icebergCompatV1',
  'icebergCompatV2',
  'icebergCompatV3',
  'icebergWriterCompatV1',
  'icebergWriterCompatV3',
  'identityColumns',
  'inCommitTimestamp',
  'inCommitTimestamp-preview',
  'invariants',
  'materializePartitionColumns',
  'rowTracking',
  'timestampNtz',
  'timestampWithoutTimezone',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck',
  'variantShredding',
  'variantShredding-preview',
  'variantType',
  'variantType-preview',
]);

/**
 * Makes sure that a commit with new rows can keep every promise of the table.
 *
 * @param filled names of the columns that rows will be given for; all supported columns when left out
 * @throws AppError DELTA_FEATURE_UNSUPPORTED that lists every feature and setting in the way
 */
export function assertAppendable(snapshot: Snapshot, filled?: readonly string[]): void {
  const obstacles = findObstacles(snapshot, filled);
  if (obstacles.length === 0) return;
  throw new AppError('DELTA_FEATURE_UNSUPPORTED', `the table cannot be appended to, because it uses: ${obstacles.join('; ')}`, {
    facts: { version: snapshot.version, obstacles: obstacles.length },
  });
}

/** Everything of a table that forbids an append, by name; empty when nothing does. Parameters as `assertAppendable`. */
export function findObstacles(snapshot: Snapshot, filled?: readonly string[]): string[] {
  return [...protocolObstacles(snapshot.protocol), ...settingObstacles(snapshot), ...columnObstacles(snapshot, filled)];
}

function protocolObstacles(protocol: Protocol): string[] {
  const { minReaderVersion: reader, minWriterVersion: writer } = protocol;
  const obstacles: string[] = [];
  if (reader < 1 || reader > 3) obstacles.push(`reader version ${reader} (1 to 3 are known)`);
  if (writer < 1 || writer > 7) obstacles.push(`writer version ${writer} (1 to 7 are known)`);
  const unknown = [...tableFeatures(protocol)].filter((name) => !KNOWN_FEATURES.has(name));
  return [...obstacles, ...unknown.map((name) => `feature ${name}`)];
}

/** The features that a protocol lists; older protocol versions imply theirs, all of which are known. */
function tableFeatures(protocol: Protocol): ReadonlySet<string> {
  return new Set([...(protocol.readerFeatures ?? []), ...(protocol.writerFeatures ?? [])]);
}

function settingObstacles({ protocol, metaData }: Snapshot): string[] {
  const { configuration, format, partitionColumns } = metaData;
  const obstacles: string[] = [];
  if (format.provider !== 'parquet') obstacles.push(`data files in the format ${format.provider}`);
  if (partitionColumns.length > 0) obstacles.push(`partitions by ${partitionColumns.join(', ')}`);
  for (const key of Object.keys(configuration)) {
    if (key.startsWith('delta.constraints.')) obstacles.push(`checkConstraints (${key.slice('delta.constraints.'.length)})`);
    const isCompat = /^delta\.enableIceberg(Writer)?Compat/.test(key);
    if (isCompat && isPropertyTrue(metaData, key)) obstacles.push(`Iceberg compatibility (${key})`);
    // Set by coordinators of commits even where the feature list of an old protocol cannot name them.
    if (key.startsWith('delta.coordinatedCommits.commitCoordinator')) obstacles.push(`coordinated commits (${key})`);
  }
  // The protocol asks for row ids as soon as the feature is supported, not only when it is enabled.
  if (tableFeatures(protocol).has('rowTracking') && !isPropertyTrue(metaData, 'delta.rowTrackingSuspended')) {
    obstacles.push('rowTracking');
  }
  const mapping = (configuration['delta.columnMapping.mode'] ?? 'none').toLowerCase();
  if (!['none', 'name', 'id'].includes(mapping)) obstacles.push(`column mapping mode ${mapping}`);
  return obstacles;
}

function columnObstacles({ schema, protocol }: Snapshot, filled?: readonly string[]): string[] {
  if (schema.fields.length === 0) return ['a schema without columns'];
  const filledNames = filled && new Set(filled.map((name) => name.toLowerCase()));
  const isFilled = (field: SchemaField): boolean =>
    field.type !== undefined && (filledNames === undefined || filledNames.has(field.name.toLowerCase()));
  const hasDefaults = tableFeatures(protocol).has('allowColumnDefaults');
  return schema.fields.flatMap((field) => {
    const obstacles = field.nodes.flatMap((node) =>
      nodeObstacles(node.metadata, node.typeName).map((name) => `${name} (column ${node.name})`),
    );
    if (isFilled(field)) return obstacles;
    if (!field.nullable) obstacles.push(`NOT NULL without a value for it (column ${field.name}, type ${field.typeName})`);
    if (hasDefaults && field.metadata['CURRENT_DEFAULT'] !== undefined)
      obstacles.push(`a default value that would have to be computed (column ${field.name})`);
    return obstacles;
  });
}

function nodeObstacles(metadata: Readonly<Record<string, unknown>>, typeName: string): string[] {
  const keys = Object.keys(metadata);
  const obstacles: string[] = [];
  if (keys.includes('delta.invariants')) obstacles.push('invariants');
  if (keys.includes('delta.generationExpression')) obstacles.push('generatedColumns');
  if (keys.some((key) => key.startsWith('delta.identity.'))) obstacles.push('identityColumns');
  if (typeName === 'variant') obstacles.push('variantType');
  return obstacles;
}
