import { AppError, isAppError } from '../../errors/app-error.ts';
import { missing, skipped, unknown, type Check, type CheckResult, type Finding } from './check.ts';
import { isPassingFault, type Examination } from './examination.ts';

export interface RunOptions {
  /** Go on after the first missing thing. */
  readonly all: boolean;
  /** Told of each result as it comes. */
  readonly onResult?: (result: CheckResult) => void;
}

/** Runs the checks in their order. What needs a thing that is missing is skipped. */
export async function runChecks(
  checks: readonly Check[],
  examination: Examination,
  options: RunOptions,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  const failed = new Set<string>();
  for (const check of checks) {
    const { id, title, needs } = check;
    const obstacle = needs.find((need) => failed.has(need));
    const finding = obstacle === undefined ? await runCheck(check, examination) : skipped(`it needs ${obstacle}`);
    if (finding.status === 'missing' || obstacle !== undefined) failed.add(id);
    const result = { id, title, ...finding };
    results.push(result);
    options.onResult?.(result);
    if (finding.status === 'missing' && !options.all) break;
  }
  return results;
}

/** True when nothing is missing. */
export function isReady(results: readonly CheckResult[]): boolean {
  return results.every(({ status }) => status !== 'missing');
}

async function runCheck(check: Check, examination: Examination): Promise<Finding> {
  try {
    return await check.run(examination);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return describeFault(error, check.cure?.(examination) ?? [error.action]);
  }
}

function describeFault(error: AppError, cure: readonly string[]): Finding {
  const found = `${error.code}: ${error.message}`;
  if (isAppError(error, 'UNITY_CALL_ABSENT')) return unknown(found);
  return isPassingFault(error) ? unknown(found, ['Try again.']) : missing(found, 'an answer without error', cure);
}
