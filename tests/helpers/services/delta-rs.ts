import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TableLocation } from '../../../app/storage/table-location.ts';
import type { Availability } from './availability.ts';
import { CACHED, canImport, findOnPath, INSTALL, pythonOf } from './cache.ts';
import { parseRows, type DeltaReader } from './delta-reader.ts';

const SCRIPT = fileURLToPath(new URL('../python/read_delta.py', import.meta.url));

export async function findDeltaRs(): Promise<Availability<DeltaReader>> {
  const python = await findPython();
  return 'found' in python ? { name: python.name, found: makeDeltaRs(python.found) } : python;
}

/** TEST_PYTHON → `python3` on PATH → cached environment: the first that has deltalake and pyarrow. */
export async function findPython(): Promise<Availability<string>> {
  const name = 'delta-rs';
  for (const python of [process.env['TEST_PYTHON'], findOnPath('python3'), pythonOf(CACHED.deltaRs)]) {
    if (python && (await canImport(python, 'deltalake', 'pyarrow'))) return { name, found: python };
  }
  return { name, enableBy: INSTALL };
}

function makeDeltaRs(python: string): DeltaReader {
  return {
    name: 'delta-rs',
    readDeltaRows: async (table, { version } = {}) => {
      const args = ['-B', SCRIPT, table.tablePath, ...(version === undefined ? [] : [String(version)])];
      return parseRows(await run(python, args, { DELTA_STORAGE_OPTIONS: JSON.stringify(storageOptions(table)) }));
    },
    close: async () => undefined,
  };
}

/** How delta-rs is told to reach a location; also right for writing with it. */
export function storageOptions({ awsRegion, s3Endpoint, accessKeyId, secretAccessKey }: TableLocation): Record<string, string> {
  return {
    ...(s3Endpoint === undefined ? {} : { AWS_ENDPOINT_URL: s3Endpoint, AWS_ALLOW_HTTP: 'true', aws_conditional_put: 'etag' }),
    AWS_REGION: awsRegion ?? 'us-east-1',
    ...(accessKeyId === undefined ? {} : { AWS_ACCESS_KEY_ID: accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { AWS_SECRET_ACCESS_KEY: secretAccessKey }),
  };
}

/** Standard output of a program that ends with 0; its size has no bound, so execFile does not fit. */
function run(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4_000)));
    child.once('error', reject).once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
      else reject(new Error(`delta-rs ended with ${code}: ${errors}`));
    });
  });
}
