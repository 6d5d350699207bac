import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import { eventually } from '../helpers/eventually.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const SCRIPT = fileURLToPath(new URL('../helpers/write-until-killed.ts', import.meta.url));
const SIZE = 4 * 1024 * 1024;
const KILLS = 8;

it('a local store whose process is killed shows whole objects only, and all that were confirmed', async () => {
  const root = await mkdtemp(join(tmpdir(), 'killed-'));
  const random = seededRandom(20_260_101);
  const confirmed: string[] = [];
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, root, String(SIZE), String(confirmed.length + kill)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const gone = new Promise((resolve) => child.once('close', resolve));
      const before = confirmed.length;
      child.stdout
        .setEncoding('utf8')
        .on('data', (text: string) => confirmed.push(...text.split('\n').filter((line) => line !== '')));
      await eventually(() => expect(confirmed.length).toBeGreaterThan(before), { everyMs: 1 });
      // Somewhere inside the next writes.
      const until = performance.now() + random() * 30;
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
      child.kill('SIGKILL');
      await gone;
    }
    const store = await openLocalObjectStore(root, 'file:///table');
    const found: string[] = [];
    for await (const { path, sizeBytes } of store.list('')) {
      const number = path.replace('.bin', '');
      expect(sizeBytes).toBe(SIZE);
      expect(Buffer.alloc(SIZE, Number(number) % 256).equals((await store.read(path)) ?? new Uint8Array())).toBe(true);
      found.push(number);
    }
    expect(found).toEqual(expect.arrayContaining(confirmed));
    expect(new Set(confirmed).size).toBe(confirmed.length);
  } finally {
    await rm(root, { recursive: true });
  }
}, 60_000);
