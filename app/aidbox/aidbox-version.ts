import { AppError } from '../errors/app-error.ts';
import { asObject, asText } from '../lib/json.ts';
import type { AidboxClient } from './aidbox-client.ts';

/** First release of Aidbox with this kind of destination (S0.1), as YYMM. */
export const MIN_AIDBOX_VERSION = 2605;

/** What Aidbox says about itself; a release in YYMM form when it can be told (channels such as `edge` cannot). */
export interface AidboxVersion {
  readonly text: string | undefined;
  readonly release: number | undefined;
}

/**
 * Asks `/health`, which needs no authority, and `/$version` when that tells no release.
 *
 * @throws AppError AIDBOX_UNAVAILABLE while Aidbox is not healthy
 */
export async function readAidboxVersion(client: AidboxClient): Promise<AidboxVersion> {
  const health = await client.forward({ method: 'GET', path: '/health' }, {});
  if (health.status !== 200)
    throw new AppError('AIDBOX_UNAVAILABLE', `Aidbox answered ${health.status} to GET /health; 200 was expected`);
  const told = asText(asObject(asObject(health.body)?.['about'])?.['version']);
  const release = parseRelease(told);
  if (release !== undefined) return { text: told, release };
  const version = await client.forward({ method: 'GET', path: '/$version' }, {});
  const text = asText(asObject(version.body)?.['version']) ?? asText(version.body) ?? told;
  return { text: text?.slice(0, 60), release: parseRelease(text) };
}

/** The YYMM in a version text (`2605`, `2605.3`, `edge:2608`), if there is one. */
export function parseRelease(text: string | undefined): number | undefined {
  const match = /(?<![0-9A-Za-z])(\d\d(?:0[1-9]|1[0-2]))(?![0-9A-Za-z])/.exec(text ?? '');
  return match ? Number(match[1]) : undefined;
}

/** @throws AppError AIDBOX_VERSION_UNSUPPORTED */
export function requireSupported({ release }: AidboxVersion): void {
  if (release !== undefined && release < MIN_AIDBOX_VERSION) {
    throw new AppError('AIDBOX_VERSION_UNSUPPORTED', `found Aidbox ${release}, expected ${MIN_AIDBOX_VERSION} or newer`, {
      facts: { release },
    });
  }
}
