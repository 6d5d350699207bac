import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../errors/app-error.ts';
import { asArray, asObject, type Json } from '../lib/json.ts';

/** Where the manifests of this release are, seen from the sources and from the build alike. */
export const MANIFEST_DIRECTORY = fileURLToPath(new URL('../../manifests/', import.meta.url));

/** What `${LAKEHOUSE_…}` stands for in the files of manifests/. */
export interface ManifestValues {
  readonly LAKEHOUSE_APP_ID: string;
  /** Where Aidbox posts operation calls to. */
  readonly LAKEHOUSE_APP_URL: string;
  readonly LAKEHOUSE_APP_SECRET: string;
}

export interface Manifests {
  readonly app: Json;
  readonly operations: readonly Json[];
}

/** The App and its Operation resources, in FHIR format, with their values filled in. @throws AppError MANIFEST_INVALID */
export async function loadManifests(directory: string, values: ManifestValues): Promise<Manifests> {
  const files = (await readdir(join(directory, 'operations')).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  if (files.length === 0) throw new AppError('MANIFEST_INVALID', 'manifests/operations holds no Operation');
  const read = async (file: string): Promise<Json> => fillIn(await readJson(join(directory, file), file), file, values) as Json;
  return { app: await read('app.json'), operations: await Promise.all(files.map((file) => read(join('operations', file)))) };
}

/** An Operation of manifests/ in the format of Aidbox's plain route: only its reference to the App is written otherwise. */
export function toPlainOperation(operation: Json): Json {
  const [resourceType, id] = String(asObject(operation['app'])?.['reference']).split('/');
  return { ...operation, app: { resourceType, id } };
}

async function readJson(path: string, file: string): Promise<Json> {
  try {
    const content = asObject(JSON.parse(await readFile(path, 'utf8')));
    if (content !== undefined) return content;
  } catch (cause) {
    throw new AppError('MANIFEST_INVALID', `manifests/${file} is missing or is not JSON`, { cause });
  }
  throw new AppError('MANIFEST_INVALID', `manifests/${file} holds no JSON object`);
}

function fillIn(value: unknown, file: string, values: ManifestValues): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{(\w+)\}/g, (_whole, name: string) => {
      const known = (values as unknown as Record<string, string | undefined>)[name];
      if (known === undefined)
        throw new AppError('MANIFEST_INVALID', `manifests/${file} holds the placeholder ${name}, which has no value`);
      return known;
    });
  }
  if (Array.isArray(value)) return asArray(value).map((item) => fillIn(item, file, values));
  const object = asObject(value);
  return object === undefined
    ? value
    : Object.fromEntries(Object.entries(object).map(([key, member]) => [key, fillIn(member, file, values)]));
}
