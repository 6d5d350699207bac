import { refuse } from './outcome.ts';
import { isObject, textOf, type Json, type JsonObject } from './resource.ts';

/**
 * Apply a patch body: an array is a JSON Patch, an object a merge patch; the content type decides when it names one.
 *
 * @throws Refusal 400 or 422 for a patch that cannot be read or applied
 */
export function applyPatch(target: JsonObject, patch: Json | undefined, contentType: string): JsonObject {
  if (contentType.includes('json-patch') && !Array.isArray(patch)) throw refuse(400, 'invalid', 'a JSON Patch must be an array');
  const patched = Array.isArray(patch) ? applyJsonPatch(target, patch) : isObject(patch) ? mergePatch(target, patch) : undefined;
  if (!isObject(patched)) throw refuse(400, 'invalid', 'a patch must be an object (merge patch) or an array (JSON Patch)');
  return patched;
}

/** RFC 7386. */
function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** RFC 6902. */
function applyJsonPatch(target: JsonObject, patch: readonly Json[]): Json {
  let document: Json = structuredClone(target);
  for (const [index, operation] of patch.entries()) {
    if (!isObject(operation)) throw refuse(400, 'invalid', `operation ${index} is not an object`);
    document = applyOperation(document, operation, index);
  }
  return document;
}

function applyOperation(document: Json, operation: JsonObject, index: number): Json {
  const { value } = operation;
  const op = textOf(operation['op']);
  const path = readPointer(operation['path'], index);
  switch (op) {
    case 'add':
    case 'replace':
      if (op === 'replace') readAt(document, path, index);
      return writeAt(document, path, value ?? null, index, op === 'add');
    case 'remove':
      readAt(document, path, index);
      return removeAt(document, path, index);
    case 'test':
      if (JSON.stringify(readAt(document, path, index)) === JSON.stringify(value)) return document;
      throw refuse(422, 'processing', `operation ${index}: the test failed`);
    case 'move':
    case 'copy': {
      const from = readPointer(operation['from'], index);
      const moved = structuredClone(readAt(document, from, index));
      return writeAt(op === 'move' ? removeAt(document, from, index) : document, path, moved, index, true);
    }
    default:
      throw refuse(400, 'invalid', `operation ${index}: unknown op`);
  }
}

function readPointer(pointer: Json | undefined, index: number): string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw refuse(400, 'invalid', `operation ${index}: bad pointer`);
  const parts = pointer.slice(1).split('/');
  return parts.map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
}

function childOf(parent: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(parent)) return /^(0|[1-9]\d*)$/.test(key) ? parent[Number(key)] : undefined;
  return isObject(parent) ? parent[key] : undefined;
}

function readAt(document: Json, path: readonly string[], index: number): Json {
  let value: Json | undefined = document;
  for (const key of path) value = childOf(value, key);
  if (value === undefined) throw refuse(422, 'processing', `operation ${index}: there is nothing at the path`);
  return value;
}

function writeAt(document: Json, path: readonly string[], value: Json, index: number, inserts: boolean): Json {
  const key = path.at(-1);
  if (key === undefined) return value;
  const parent = readAt(document, path.slice(0, -1), index);
  if (Array.isArray(parent)) {
    const at = key === '-' ? parent.length : Number(key);
    if (!Number.isInteger(at) || at < 0 || at > parent.length)
      throw refuse(422, 'processing', `operation ${index}: bad array index`);
    parent.splice(at, inserts ? 0 : 1, value);
  } else if (isObject(parent)) {
    parent[key] = value;
  } else {
    throw refuse(422, 'processing', `operation ${index}: the parent holds no elements`);
  }
  return document;
}

function removeAt(document: Json, path: readonly string[], index: number): Json {
  const key = path.at(-1);
  const parent = readAt(document, path.slice(0, -1), index);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (isObject(parent) && key !== undefined) delete parent[key];
  return document;
}
