/** What every benchmark takes. */
export interface BenchOptions {
  /** Length of each measurement. */
  readonly seconds: number;
  readonly say: (text: string) => void;
  /** Only this queue store. */
  readonly store?: string;
  /** Only this place for the table. */
  readonly target?: string;
  readonly batchSize?: number;
}

export interface BenchResult {
  readonly lines: readonly string[];
  readonly figures: Readonly<Record<string, unknown>>;
}

/** The value below which the part `q` (0 to 1) of `sorted` lies. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Resident memory of a process in MiB (Linux); NaN elsewhere. */
export async function residentMiB(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024);
}

/** CPU seconds (user and system) that a process has used (Linux); NaN elsewhere. */
export async function cpuSeconds(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
