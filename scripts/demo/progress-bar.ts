const WIDTH = 30;

/** A progress bar on stderr; a line every tenth where stderr is no terminal. */
export interface ProgressBar {
  update(done: number): void;
  end(): void;
}

export function makeProgressBar(label: string, total: number): ProgressBar {
  const startedAtMs = performance.now();
  let drawnAtMs = 0;
  let tenth = -1;
  const text = (done: number): string => {
    const filled = Math.round((WIDTH * done) / Math.max(1, total));
    const rate = Math.round(done / Math.max(0.001, (performance.now() - startedAtMs) / 1000));
    return `${label.padEnd(10)} [${'█'.repeat(filled)}${'·'.repeat(WIDTH - filled)}] ${done}/${total}  ${rate}/s`;
  };
  return {
    update(done) {
      if (process.stderr.isTTY) {
        if (done < total && performance.now() - drawnAtMs < 80) return;
        drawnAtMs = performance.now();
        process.stderr.write(`\r${text(done)}   `);
      } else if (Math.floor((10 * done) / Math.max(1, total)) > tenth) {
        tenth = Math.floor((10 * done) / Math.max(1, total));
        process.stderr.write(`${text(done)}\n`);
      }
    },
    end() {
      if (process.stderr.isTTY) process.stderr.write('\n');
    },
  };
}
