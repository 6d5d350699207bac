import { readFile } from 'node:fs/promises';
import { AppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { FhirRelease } from '../view/fhir-model.ts';
import { nameFhirVersion } from '../view/view-definition.ts';
import { findPlace, JsonSyntaxError, mapJson, type TextPlace } from '../lib/json-map.ts';

/** A ViewDefinition in a file. */
export interface ViewFile {
  readonly viewDefinition: unknown;
  /** Where something stands in the file, by its path in the ViewDefinition. */
  findPlace(path: string): TextPlace;
}

/** A file that is not JSON, with the place where that shows. */
export class ViewFileInvalid extends Error {
  readonly place: TextPlace;

  constructor(cause: JsonSyntaxError) {
    super(`the file is not JSON: ${cause.message}`, { cause });
    this.place = cause.place;
  }
}

/**
 * Reads a ViewDefinition from a file; checks nothing but that it is JSON.
 * @param release of FHIR, for a view that names none
 * @throws AppError DATA_FILE_UNREADABLE; ViewFileInvalid
 */
export async function readViewFile(path: string, release: FhirRelease = 'R4'): Promise<ViewFile> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new AppError('DATA_FILE_UNREADABLE', `${path} cannot be read: ${describeCause(error)}`, { cause: error });
  });
  const json = text.replace(/^\ufeff/, '');
  try {
    const places = mapJson(json);
    return { viewDefinition: nameFhirVersion(JSON.parse(json), release), findPlace: (at) => findPlace(places, at) };
  } catch (error) {
    throw error instanceof JsonSyntaxError ? new ViewFileInvalid(error) : error;
  }
}
