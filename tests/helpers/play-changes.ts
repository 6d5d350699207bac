import type { Change } from '../../scripts/generator/changes.ts';
import type { AidboxLab } from '../lab/aidbox/lab.ts';

/** Writes changes into the stand-in one after the other. @throws when it refuses one */
export async function playChanges(lab: AidboxLab, changes: readonly Change[]): Promise<void> {
  for (const { method, path, body, contentType } of changes) {
    const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
    const { status } = await lab.call(method, path, { body, headers });
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}`);
  }
}
