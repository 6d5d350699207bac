import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { ObjectStore } from '../../app/storage/object-store.ts';

/** What the commit files of a table say, read without the product's log code. */
export interface TableContents {
  readonly rows: readonly Record<string, unknown>[];
  /** Keys in the `written` and `quarantined` lists of all commits, repetitions included. */
  readonly written: readonly string[];
  readonly quarantined: readonly string[];
  readonly versions: readonly number[];
}

interface CommitLine {
  add?: { path: string };
  commitInfo?: { lakehouse?: { written: string[]; quarantined: string[] } };
}

/** Reads every commit from the first one that is there, and the rows of every file that they add. */
export async function readTableContents(store: ObjectStore): Promise<TableContents> {
  const rows: Record<string, unknown>[] = [];
  const written: string[] = [];
  const quarantined: string[] = [];
  const versions: number[] = [];
  for await (const { path } of store.list('_delta_log/')) {
    const version = /^_delta_log\/(\d{20})\.json$/.exec(path)?.[1];
    if (version === undefined) continue;
    versions.push(Number(version));
    const text = new TextDecoder().decode(await store.read(path));
    for (const line of text.split('\n').filter((part) => part !== '')) {
      const { add, commitInfo } = JSON.parse(line) as CommitLine;
      written.push(...(commitInfo?.lakehouse?.written ?? []));
      quarantined.push(...(commitInfo?.lakehouse?.quarantined ?? []));
      if (add === undefined) continue;
      const file = await store.read(decodeURIComponent(add.path));
      if (file === undefined) throw new Error(`version ${version} adds ${add.path}, which is not there`);
      const buffer = Uint8Array.from(file).buffer;
      rows.push(...(await parquetReadObjects({ file: buffer, compressors })));
    }
  }
  return { rows, written, quarantined, versions };
}
