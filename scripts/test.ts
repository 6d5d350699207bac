import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installServices } from './test-services.ts';

/**
 * All tests, or those that the arguments (Jest's own) choose; the last line is `N passed, N failed` and, when there are any, `, N skipped`.
 * Real parts are installed first, unless only projects that need none are selected. `--endurance`: only the tests that kill and stop
 * processes, at their full length.
 */

const JEST = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url));
/** Whatever hangs, the run ends. */
const MAX_RUN_MS = 45 * 60_000;
const NEED_NOTHING = ['unit', 'property'];

interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not be loaded: their tests were never counted. */
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const ENDURANCE = {
  env: { KILL_EVENTS: '50000', KILL_HITS: '10', PAUSE_ROUNDS: '3' },
  args: ['--selectProjects', 'failure', '--testPathPatterns', 'failure/kill', 'failure/paused-owner'],
};

const isEndurance = process.argv[2] === '--endurance';
const args = isEndurance ? [...ENDURANCE.args, ...process.argv.slice(3)] : process.argv.slice(2);
if (!needsNothing()) await installServices();

const directory = mkdtempSync(join(tmpdir(), 'jest-report-'));
const reportFile = join(directory, 'report.json');
const jest = spawnSync(
  process.execPath,
  // --forceExit: one handle left open by a failed test must not hold the whole run.
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    JEST,
    '--forceExit',
    '--json',
    `--outputFile=${reportFile}`,
    ...args,
  ],
  // With --json Jest writes for people on stderr; what is left for stdout is a word about the file.
  {
    stdio: ['inherit', 'ignore', 'inherit'],
    timeout: MAX_RUN_MS,
    env: isEndurance ? { ...ENDURANCE.env, ...process.env } : process.env,
  },
);
const report = readReport();
rmSync(directory, { recursive: true, force: true });

const failed = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
// Jest keeps to itself which tests of a file were skipped; their names say how to enable them.
for (const { assertionResults } of report?.testResults ?? []) {
  for (const { fullName, status } of assertionResults)
    if (status === 'pending' || status === 'todo') console.log(`○ ${fullName}`);
}
if (report === undefined) console.log(`Jest ended without a report (${jest.signal ?? `exit ${jest.status}`})`);
console.log(
  `${report?.numPassedTests ?? 0} passed, ${report === undefined ? 1 : failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);
process.exitCode = jest.status === 0 && failed === 0 && report !== undefined ? 0 : 1;

function needsNothing(): boolean {
  const at = args.indexOf('--selectProjects');
  if (at < 0) return false;
  const rest = args.slice(at + 1);
  const end = rest.findIndex((arg) => arg.startsWith('-'));
  return rest.slice(0, end < 0 ? undefined : end).every((project) => NEED_NOTHING.includes(project));
}

function readReport(): JestReport | undefined {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8')) as JestReport;
  } catch {
    return undefined;
  }
}
