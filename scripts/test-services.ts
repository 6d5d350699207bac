import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CACHE, CACHED, canImport, findOnPath, isComplete, pythonOf } from '../tests/helpers/services/cache.ts';
import { dockerAnswers } from '../tests/helpers/services/docker.ts';

/** Installs the real parts that tests use, as far as this machine allows, and prints one line for each. Quick when all is there. */

const MINIO = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';
const DELTA_RS_PACKAGES = ['deltalake==1.6.6', 'pyarrow==26.0.1'];
const SPARK_PACKAGES = ['pyspark==4.0.1', 'delta-spark==4.0.0'];
const POM = fileURLToPath(new URL('../tests/helpers/java/pom.xml', import.meta.url));
const STEP_TIMEOUT_MS = 15 * 60 * 1000;
const LINE_LENGTH = 300;

type State =
  | { readonly state: 'found' | 'installed'; readonly where: string }
  | { readonly state: 'unavailable'; readonly enableBy: string };

interface Part {
  readonly name: string;
  find(): Promise<string | undefined>;
  /** Makes it available, or throws; `Missing` when a program that only a person can install is absent. */
  install(): Promise<void>;
}

/** What the installation of a part lacks; the message is the command that would help. */
class Missing extends Error {}

const PARTS: readonly Part[] = [
  {
    name: 'Redis',
    find: async () => (process.env['TEST_REDIS_URL'] && 'TEST_REDIS_URL') || findOnPath('redis-server'),
    install: () => aptInstall('redis-server'),
  },
  {
    name: 'PostgreSQL',
    find: async () => (process.env['TEST_DATABASE_URL'] && 'TEST_DATABASE_URL') || findOnPath('postgres'),
    install: () => aptInstall('postgresql'),
  },
  {
    name: 'MinIO',
    find: async () => (process.env['TEST_S3_ENDPOINT'] && 'TEST_S3_ENDPOINT') || findOnPath('minio'),
    install: async () => {
      await needProgram('go', 'golang-go', 'install Go 1.24 or newer (https://go.dev/dl)');
      await intoCache(CACHED.minio, async (draft) => {
        await run('go', ['install', MINIO], { GOBIN: draft });
        return join(draft, 'minio');
      });
    },
  },
  {
    name: 'delta-rs',
    find: async () => ((await canImport(pythonOf(CACHED.deltaRs), 'deltalake', 'pyarrow')) ? CACHED.deltaRs : undefined),
    install: () => installPython(CACHED.deltaRs, DELTA_RS_PACKAGES),
  },
  {
    name: 'Spark',
    find: async () => {
      const complete = isComplete(CACHED.spark) && isComplete(CACHED.sparkJars) && findOnPath('java') !== undefined;
      return complete ? CACHED.spark : undefined;
    },
    install: async () => {
      await needProgram('java', 'openjdk-17-jre-headless', 'install Java 17');
      await needProgram('mvn', 'maven', 'install Maven');
      if (!isComplete(CACHED.spark)) await installPython(CACHED.spark, SPARK_PACKAGES);
      if (isComplete(CACHED.sparkJars)) return;
      await intoCache(CACHED.sparkJars, async (draft) => {
        await run('mvn', ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${draft}`]);
        return draft;
      });
    },
  },
  {
    name: 'jq',
    find: async () => findOnPath('jq'),
    install: () => aptInstall('jq'),
  },
  {
    name: 'Docker',
    find: async () => ((await dockerAnswers()) ? 'engine answers' : undefined),
    install: async () => {
      throw new Missing('start a Docker engine (only for Aidbox itself)');
    },
  },
];

/** Finds or installs every part; none is a failure here: the tests that need it say so themselves. */
export async function installServices(): Promise<void> {
  await Promise.all(
    PARTS.map(async (part) => {
      const state = await provide(part);
      console.log(
        `${part.name.padEnd(10)} ${state.state === 'unavailable' ? `unavailable, enable it by: ${state.enableBy}` : `${state.state} (${state.where})`}`,
      );
    }),
  );
}

async function provide(part: Part): Promise<State> {
  const found = await part.find();
  if (found !== undefined) return { state: 'found', where: found };
  try {
    await part.install();
  } catch (error) {
    return {
      state: 'unavailable',
      enableBy: error instanceof Missing ? error.message : `npm run services:install; it failed: ${tail(error)}`,
    };
  }
  const installed = await part.find();
  return installed === undefined
    ? { state: 'unavailable', enableBy: 'npm run services:install' }
    : { state: 'installed', where: installed };
}

/** Builds in a draft directory and gives the result its name when it is whole: a killed installation leaves nothing that looks complete. */
async function intoCache(target: string, build: (draft: string) => Promise<string>): Promise<void> {
  const draft = join(CACHE, `draft-${process.pid}-${target.slice(CACHE.length + 1).replaceAll(/\W/g, '-')}`);
  await mkdir(draft, { recursive: true });
  try {
    const result = await build(draft);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(result, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function installPython(target: string, packages: readonly string[]): Promise<void> {
  await needProgram('python3', 'python3', 'install Python 3.10 or newer');
  await intoCache(target, async (draft) => {
    // Debian's Python has no venv of its own.
    const makeEnvironment = (): Promise<void> => run('python3', ['-m', 'venv', '--clear', draft]);
    await makeEnvironment().catch(() => aptInstall('python3-venv').then(makeEnvironment));
    await run(pythonOf(draft), ['-m', 'pip', 'install', '--quiet', ...packages]);
    return draft;
  });
}

async function needProgram(program: string, aptPackage: string, enableBy: string): Promise<void> {
  if (findOnPath(program) !== undefined) return;
  await aptInstall(aptPackage).catch(() => undefined);
  if (findOnPath(program) === undefined) throw new Missing(enableBy);
}

/** Two at once would wait for each other's lock and give up. */
let apt: Promise<unknown> = Promise.resolve();

function aptInstall(name: string): Promise<void> {
  const work = apt.then(async () => {
    if (process.getuid?.() !== 0 || findOnPath('apt-get') === undefined) throw new Missing(`apt-get install ${name} (as root)`);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], env).catch(async () => {
      await run('apt-get', ['update', '-q'], env);
      await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], env);
    });
  });
  apt = work.catch(() => undefined);
  return work;
}

async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  await promisify(execFile)(program, args, {
    env: { ...process.env, ...env },
    timeout: STEP_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** The last line that a failed program wrote. */
function tail(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const lines = `${stderr || message || ''}`.trim().split('\n');
  return (lines.at(-1) ?? '').slice(0, LINE_LENGTH);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await installServices();
