import type { CheckResult } from './check.ts';

const MARKS = { ok: 'ok     ', missing: 'MISSING', unknown: 'unknown', skipped: 'skipped' } as const;

/** A result as lines: mark, title and what was found; then what was expected and the cure. */
export function describeResult({ status, title, found, expected, cure }: CheckResult): string {
  const wanted = status === 'missing' && expected !== undefined ? [`        expected: ${expected}`] : [];
  const label = status === 'missing' ? 'cure' : 'advice';
  const cures =
    cure === undefined
      ? []
      : [`        ${label}:`, ...cure.flatMap((line) => line.split('\n')).map((line) => `          ${line}`)];
  return [`${MARKS[status]} ${title}: ${found}`, ...wanted, ...cures].join('\n');
}

/** The last line: what it comes to. */
export function summarize(results: readonly CheckResult[], all: boolean): string {
  const count = (status: CheckResult['status']): number => results.filter((result) => result.status === status).length;
  const numbers = `${count('ok')} ok, ${count('missing')} missing, ${count('unknown')} unknown, ${count('skipped')} skipped`;
  return count('missing') > 0 && !all ? `${numbers}; cure it and look again, or see the rest with --all` : numbers;
}
