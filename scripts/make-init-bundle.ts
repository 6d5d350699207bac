import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Makes manifests/init-bundle.json of the other manifests: `npx tsx scripts/make-init-bundle.ts`.
 * The profile stays out: Aidbox has it in its own package, and a second one with its url could stop the start.
 */
export async function makeInitBundle(directory: string): Promise<string> {
  const files = [
    'client.json',
    'access-policy.json',
    'app.json',
    ...(await filesOf(directory, 'operations')),
    ...(await filesOf(directory, 'topics')),
    ...(await filesOf(directory, 'view-definitions')),
  ];
  const resources = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(directory, file), 'utf8')) as { resourceType: string; id: string }),
  );
  const entry = resources.map((resource) => ({
    request: { method: 'PUT', url: `/${resource.resourceType}/${resource.id}` },
    resource,
  }));
  return `${JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }, undefined, 2)}\n`;
}

async function filesOf(directory: string, folder: string): Promise<string[]> {
  return (await readdir(join(directory, folder)))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const directory = fileURLToPath(new URL('../manifests/', import.meta.url));
  await writeFile(join(directory, 'init-bundle.json'), await makeInitBundle(directory));
}
