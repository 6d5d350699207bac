import { parquetWriteBuffer } from 'hyparquet-writer';
import { parseActions, type Action } from '../../../app/delta/actions.ts';
import { commitPath, LAST_CHECKPOINT_PATH, parseLogPath, versionPrefix } from '../../../app/delta/log-path.ts';
import type { MemoryObjectStore } from '../../helpers/memory-object-store.ts';

/**
 * What another engine does to an old log: writes a classic checkpoint of the newest version and removes the commits below it.
 * @returns the removed commit files: what the checkpoint says of them
 */
export function cleanUpLog(store: MemoryObjectStore): ReadonlyMap<string, Uint8Array> {
  const versions = commitVersions(store);
  const head = versions.at(-1)!;
  const actions = versions.flatMap((version) =>
    parseActions(store.objects.get(commitPath(version))!, { version, path: commitPath(version) }),
  );
  store.objects.set(`${versionPrefix(head)}.checkpoint.parquet`, encodeCheckpoint(reconcile(actions)));
  store.objects.set(LAST_CHECKPOINT_PATH, new TextEncoder().encode(JSON.stringify({ version: head, size: 1 })));
  const removed = new Map<string, Uint8Array>();
  for (const version of versions.slice(0, -1)) {
    removed.set(commitPath(version), store.objects.get(commitPath(version))!);
    store.objects.delete(commitPath(version));
  }
  return removed;
}

/** Versions that have a commit file, ascending. */
export function commitVersions(store: MemoryObjectStore): number[] {
  const files = [...store.objects.keys()].map(parseLogPath);
  return files.flatMap((file) => (file?.kind === 'commit' ? [file.version] : [])).sort((a, b) => a - b);
}

/** Protocol, metadata and transactions: the last of each; every file (nothing is removed here). */
function reconcile(actions: readonly Action[]): Action[] {
  const last = new Map<string, Action>();
  for (const action of actions) {
    if ('protocol' in action) last.set('protocol', action);
    if ('metaData' in action) last.set('metaData', action);
    if ('txn' in action) last.set(`txn ${action.txn.appId}`, action);
    if ('add' in action) last.set(`add ${action.add.path}`, action);
  }
  return [...last.values()];
}

function encodeCheckpoint(actions: readonly Action[]): Uint8Array {
  const column = <T>(name: string, pick: (action: Action) => T | undefined): { name: string; data: (T | null)[] } => ({
    name,
    data: actions.map((action) => pick(action) ?? null),
  });
  const group = (name: string, fields: number) => ({ name, num_children: fields, repetition_type: 'OPTIONAL' }) as const;
  const text = (name: string) => ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }) as const;
  const number = (name: string, type: 'INT32' | 'INT64' | 'BOOLEAN') => ({ name, type, repetition_type: 'OPTIONAL' }) as const;
  const columns = [
    column('protocol', (action) =>
      'protocol' in action
        ? { minReaderVersion: action.protocol.minReaderVersion, minWriterVersion: action.protocol.minWriterVersion }
        : undefined,
    ),
    column('metaData', (action) =>
      'metaData' in action
        ? {
            id: action.metaData.id,
            format: { provider: action.metaData.format.provider },
            schemaString: action.metaData.schemaString ?? '',
          }
        : undefined,
    ),
    column('txn', (action) => ('txn' in action ? { appId: action.txn.appId, version: BigInt(action.txn.version) } : undefined)),
    column('add', (action) =>
      'add' in action
        ? {
            path: action.add.path,
            size: BigInt(action.add.size),
            modificationTime: BigInt(action.add.modificationTime),
            dataChange: true,
          }
        : undefined,
    ),
  ];
  const schema = [
    { name: 'root', num_children: columns.length },
    ...[group('protocol', 2), number('minReaderVersion', 'INT32'), number('minWriterVersion', 'INT32')],
    ...[group('metaData', 3), text('id'), group('format', 1), text('provider'), text('schemaString')],
    ...[group('txn', 2), text('appId'), number('version', 'INT64')],
    ...[
      group('add', 4),
      text('path'),
      number('size', 'INT64'),
      number('modificationTime', 'INT64'),
      number('dataChange', 'BOOLEAN'),
    ],
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData: columns, schema }));
}
