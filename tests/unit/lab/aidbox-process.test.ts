import { afterEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The stand-in as a process of its own. */

const stateDir = mkdtempSync(join(tmpdir(), 'aidbox-lab-'));
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(stateDir, { recursive: true });
});

async function startProcess(...extra: string[]): Promise<{ url: string; pid: number }> {
  const main = join(import.meta.dirname, '../../lab/aidbox/main.ts');
  const args = ['--import', 'tsx', main, '--state-dir', stateDir, '--root-client', 'admin:a:b', ...extra];
  child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line')) as [string];
  return JSON.parse(line) as { url: string; pid: number };
}

it('prints its address, and after kill -9 comes back with everything it answered', async () => {
  const headers = { authorization: `Basic ${Buffer.from('admin:a:b').toString('base64')}`, 'content-type': 'application/json' };
  const first = await startProcess();
  for (const id of ['a', 'b', 'c']) {
    const body = JSON.stringify({ resourceType: 'Patient', id });
    expect((await fetch(`${first.url}/fhir/Patient`, { method: 'POST', headers, body })).status).toBe(201);
  }
  const gone = once(child as ChildProcess, 'exit');
  process.kill(first.pid, 'SIGKILL');
  await gone;
  appendFileSync(join(stateDir, 'journal.ndjson'), '{"versions":[{"type":"Patient","id":"torn');

  const second = await startProcess('--port', new URL(first.url).port);
  expect(second.url).toBe(first.url);
  const found = (await (await fetch(`${second.url}/fhir/Patient?_sort=_id`, { headers })).json()) as {
    entry: { resource: { id: string } }[];
  };
  expect(found.entry.map((entry) => entry.resource.id)).toEqual(['a', 'b', 'c']);
  const stopped = once(child as ChildProcess, 'exit');
  process.kill(second.pid, 'SIGTERM');
  expect(await stopped).toEqual([0, null]);
}, 30_000);
