import { readFile } from 'node:fs/promises';
import parquetjs from 'parquetjs';
import { BufferPool, readSegments } from '../../app/flatten/ndjson-segments.ts';
import { compileView } from '../../app/view/compile-view.ts';
import type { Resource } from '../../app/view/compiled-view.ts';

/**
 * What `view run` is compared with, in a process of its own: `parse` reads the file and parses each line, no more; `parquetjs` flattens with the
 * same compiled view and writes with parquetjs, the first resources only. Prints one JSON line: resources, rows, cpuSeconds without the start.
 *
 * usage: view-run-peer.ts parse|parquetjs VIEW DATA LIMIT OUTPUT
 */
const [peer = '', viewPath = '', dataPath = '', limitText = '', output = ''] = process.argv.slice(2);
const limit = Number(limitText);
const view = compileView(JSON.parse(await readFile(viewPath, 'utf8')));
const before = process.cpuUsage();
let resources = 0;
let rows = 0;

async function* readResources(): AsyncGenerator<Resource> {
  const pool = new BufferPool();
  for await (const { buffer, sizeBytes } of readSegments(dataPath, pool, () => undefined)) {
    const bytes = Buffer.from(buffer, 0, sizeBytes);
    for (let start = 0; start < bytes.length && resources < limit;) {
      const newline = bytes.indexOf(0x0a, start);
      const end = newline < 0 ? bytes.length : newline;
      const resource = JSON.parse(bytes.toString('utf8', start, end)) as Resource;
      resources++;
      if (peer === 'parquetjs') yield resource;
      start = end + 1;
    }
    pool.give(buffer);
    if (resources >= limit) return;
  }
}

async function writeWithParquetjs(): Promise<void> {
  const typeOf = (fhirType: string): 'DOUBLE' | 'UTF8' => (fhirType === 'decimal' ? 'DOUBLE' : 'UTF8');
  const schema = new parquetjs.ParquetSchema(
    Object.fromEntries(
      view.columns.map(({ name, fhirType }) => [name, { type: typeOf(fhirType), compression: 'SNAPPY', optional: true }]),
    ),
  );
  const writer = await parquetjs.ParquetWriter.openFile(schema, output);
  for await (const resource of readResources()) {
    for (const row of view.evaluate(resource)) {
      rows++;
      await writer.appendRow(Object.fromEntries(view.columns.map(({ name }, at) => [name, row[at] ?? undefined])));
    }
  }
  await writer.close();
}

if (peer === 'parquetjs') await writeWithParquetjs();
else for await (const _resource of readResources());
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ resources, rows, cpuSeconds: (user + system) / 1e6 })}\n`);
