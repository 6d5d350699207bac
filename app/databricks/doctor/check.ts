import type { Examination } from './examination.ts';

/** `unknown`: it could not be found out. `skipped`: it does not apply, or what it needs is missing. */
export type CheckStatus = 'ok' | 'missing' | 'unknown' | 'skipped';

/** What a check came to. Holds no secret, no token and no text of a server. */
export interface Finding {
  readonly status: CheckStatus;
  readonly found: string;
  readonly expected?: string;
  /** Lines of SQL or of a shell that cure it, or what to change; with `ok` an advice. */
  readonly cure?: readonly string[];
}

export interface Check {
  /** `use-catalog` */
  readonly id: string;
  readonly title: string;
  /** Checks whose failure makes this one pointless. */
  readonly needs: readonly string[];
  /** @throws AppError, which the runner turns into a finding with `cure` */
  run(examination: Examination): Promise<Finding>;
  /** Cures an AppError of `run`; without it the action of the error is the cure. */
  cure?(examination: Examination): readonly string[];
}

/** A check together with its finding. */
export interface CheckResult extends Finding {
  readonly id: string;
  readonly title: string;
}

export const ok = (found: string, cure?: readonly string[]): Finding => ({ status: 'ok', found, ...(cure && { cure }) });
export const unknown = (found: string, cure?: readonly string[]): Finding => ({
  status: 'unknown',
  found,
  ...(cure && { cure }),
});
export const skipped = (found: string): Finding => ({ status: 'skipped', found });
export const missing = (found: string, expected: string, cure: readonly string[]): Finding => ({
  status: 'missing',
  found,
  expected,
  cure,
});
