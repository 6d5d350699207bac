import type { Extension, Resource } from '@medplum/fhirtypes';

/** Columns that every view begins with. */
export function keyColumns({ id = '', meta }: Resource): { id: string; ts: string | null; version_id: string | null } {
  return { id, ts: timestampOf(meta?.lastUpdated), version_id: meta?.versionId ?? null };
}

/** A FHIR date as a DATE: a year or a month stands for its first day. */
export function dateOf(date: string | undefined): string | null {
  return date === undefined ? null : `${date}-01-01`.slice(0, 10);
}

/** A FHIR dateTime or instant as a TIMESTAMP in UTC with six digits: a partial one stands for its beginning. */
export function timestampOf(dateTime: string | undefined): string | null {
  if (dateTime === undefined) return null;
  const fraction = /\.(\d+)/.exec(dateTime)?.[1] ?? '';
  const wholeSeconds = new Date(dateTime.replace(`.${fraction}`, '')).toISOString().slice(0, 19);
  return `${wholeSeconds}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

/** The id in a reference to `type`, null for any other reference. */
export function idIn(reference: { reference?: string } | undefined, type: string): string | null {
  const [referred, id] = (reference?.reference ?? '').split('/');
  return referred === type && id !== undefined ? id : null;
}

/** The number in the extension `url`, null when there is none. */
export function numberInExtension(extensions: readonly Extension[] | undefined, url: string): number | null {
  const found = extensions?.find((extension) => extension.url === url);
  return found?.valueDecimal ?? found?.valueInteger ?? null;
}
