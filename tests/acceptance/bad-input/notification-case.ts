import { aNotification, anEntry, aPatient } from './patients.ts';

/** A body that Aidbox (or something before it) might post, and what must become of its events. */
export interface NotificationCase {
  readonly what: string;
  readonly body: () => string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly committed?: number;
  readonly noRow?: number;
  readonly duplicates?: number;
  /** Codes of the quarantine entries. */
  readonly quarantined?: readonly string[];
}

export const INVALID = { quarantined: ['NOTIFICATION_INVALID'] };

/** JSON text of many levels, written by hand: JSON.stringify could not. */
export const deep = (levels: number, inner = '1'): string => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
export const withMember = (body: string, name: string, json: string): string =>
  body.replace('"birthDate"', `"${name}":${json},"birthDate"`);
export const good = (): string => aNotification(anEntry('create', aPatient()));
