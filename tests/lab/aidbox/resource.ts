import type { Json, JsonObject } from '../../../scripts/generator/exact-json.ts';

export type { Json, JsonObject };

/** A resource in FHIR form. */
export interface Resource extends JsonObject {
  resourceType: string;
  id?: string;
  meta?: JsonObject;
}

export type Action = 'create' | 'update' | 'delete';

/** One version of one resource as it is stored: content and meta complete. A delete holds the last content. */
export interface Version {
  readonly type: string;
  readonly id: string;
  readonly versionId: string;
  readonly lastUpdated: string;
  readonly createdAt: string;
  readonly action: Action;
  readonly resource: Resource;
}

/** One version bound to one destination. */
export interface TopicEvent {
  /** Unique in the stand-in. */
  readonly id: number;
  readonly destinationId: string;
  /** 1, 2, 3 … per destination. */
  readonly number: number;
  readonly version: Version;
  readonly correlationId?: string;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of an array element; anything else is left out. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The strings of an array element; anything else is left out. */
export function stringsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The value when it is a string. */
export function stringOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value when it is a string, else the empty one. */
export function textOf(value: Json | undefined): string {
  return stringOf(value) ?? '';
}

/** The parameters of a destination or a Parameters resource, by name. */
export function parametersNamed(resource: JsonObject, name: string): JsonObject[] {
  return objectsOf(resource['parameter']).filter((parameter) => parameter['name'] === name);
}

/** A shallow copy without some keys. */
export function omit(object: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** The id that a reference to `type` names, in either format; undefined for another type. */
export function referencedId(reference: Json | undefined, type: string): string | undefined {
  if (!isObject(reference)) return undefined;
  if (reference['resourceType'] === type) return stringOf(reference['id']);
  const text = stringOf(reference['reference']);
  return text?.startsWith(`${type}/`) ? text.slice(type.length + 1) : undefined;
}
