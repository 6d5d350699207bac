import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import { SETTINGS } from './config.ts';

/** What a command needs of the environment to reach a workspace without the rest of the service. */
const Environment = z.object({
  CA_FILE: SETTINGS.CA_FILE,
  DATABRICKS_CLIENT_ID: SETTINGS.DATABRICKS_CLIENT_ID,
  DATABRICKS_CLIENT_SECRET: SETTINGS.DATABRICKS_CLIENT_SECRET,
  SECRETS_DIR: SETTINGS.SECRETS_DIR,
});
export type DatabricksEnvironment = z.infer<typeof Environment>;

/** @throws AppError CONFIG_INVALID naming the variables */
export function loadDatabricksEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): DatabricksEnvironment {
  const given = Object.keys(Environment.shape).flatMap((name) =>
    env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]],
  );
  const result = Environment.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const names = result.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new AppError('CONFIG_INVALID', `found values in the environment that are not valid: ${names}`);
}

/**
 * The authorities in CA_FILE and, as they would be switched off by it, those in the file that NODE_EXTRA_CA_CERTS names. Without CA_FILE nothing
 * is read: Node takes the others by itself.
 *
 * @throws AppError CONFIG_INVALID naming the variable
 */
export async function readAuthorities(
  caFile: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<{ readonly caPem?: string; readonly extraCaPem?: string }> {
  if (caFile === undefined) return {};
  const caPem = await readPem('CA_FILE', caFile);
  const extraFile = env['NODE_EXTRA_CA_CERTS'];
  if (extraFile === undefined || extraFile === '') return { caPem };
  return { caPem, extraCaPem: await readPem('NODE_EXTRA_CA_CERTS', extraFile) };
}

async function readPem(variable: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('CONFIG_INVALID', `${variable} cannot be read; a PEM file was expected`, { cause });
  });
}
