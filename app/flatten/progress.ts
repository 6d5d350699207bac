import type { RunTotals } from './run-view.ts';

const EVERY_MS = 500;

/** Shows how far a run is: on a terminal in one line that changes, elsewhere line by line. */
export function makeProgress(options: {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Of the file as it is; undefined when that cannot be known. */
  readonly sizeBytes: number | undefined;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}): { readonly update: (totals: RunTotals) => void; readonly end: () => void } {
  const { write, isTerminal, sizeBytes, nowMs } = options;
  const startMs = nowMs();
  let shownMs = startMs;
  let isShown = false;
  return {
    update: (totals) => {
      if (nowMs() - shownMs < EVERY_MS) return;
      shownMs = nowMs();
      const share = sizeBytes === undefined || sizeBytes === 0 ? '' : `${((100 * totals.readBytes) / sizeBytes).toFixed(0)} %, `;
      const rate = Math.round((1000 * totals.rows) / (shownMs - startMs));
      const line = `${share}${totals.resources} resources, ${totals.rows} rows, ${rate} rows/s`;
      write(isTerminal ? `\r${line.padEnd(78)}` : `${line}\n`);
      isShown = true;
    },
    end: () => {
      if (isTerminal && isShown) write(`\r${' '.repeat(78)}\r`);
    },
  };
}
