import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import type { Sealer } from '../lib/sealer.ts';
import type { StoredSecret } from './destination.ts';
import { isSecretName, type GivenSecret } from './secret-reference.ts';

/** Keeps secrets sealed or as references, and gives them back for use. */
export interface SecretStore {
  /** @throws AppError SECRET_KEY_MISSING for a clear value without a key, SECRET_NOT_AVAILABLE for a reference that leads nowhere */
  store(destinationId: string, parameter: string, given: GivenSecret): Promise<StoredSecret>;
  /** The clear value; references are read anew each time, so a rotated file works at once. @throws AppError SECRET_NOT_AVAILABLE, SECRET_UNREADABLE */
  resolve(destinationId: string, parameter: string, stored: StoredSecret): Promise<string>;
}

export interface SecretStoreOptions {
  /** Undefined when no key is configured: then only references are accepted. */
  readonly sealer: Sealer | undefined;
  /** Directory with one file per secret (SECRETS_DIR); undefined when there is none. */
  readonly directory: string | undefined;
}

const MAX_SECRET_CHARACTERS = 64 * 1024;

export function makeSecretStore({ sealer, directory }: SecretStoreOptions): SecretStore {
  return {
    store: async (destinationId, parameter, given) => {
      if (given.kind === 'reference') {
        await readSecretFile(directory, parameter, given.name);
        return given;
      }
      if (sealer === undefined)
        throw new AppError('SECRET_KEY_MISSING', `${parameter} was given in clear, and there is no key to seal it with`);
      // The plain text names its place, so that a sealed value moved to another destination or parameter does not open there.
      const plain = Buffer.from(JSON.stringify([destinationId, parameter, given.value]), 'utf8');
      return { kind: 'sealed', sealed: Buffer.from(sealer.seal(plain)).toString('base64') };
    },
    resolve: async (destinationId, parameter, stored) => {
      if (stored.kind === 'reference') return readSecretFile(directory, parameter, stored.name);
      return openSealed(sealer, destinationId, parameter, stored.sealed);
    },
  };
}

function openSealed(sealer: Sealer | undefined, destinationId: string, parameter: string, sealed: string): string {
  let content: unknown;
  try {
    content =
      sealer === undefined ? undefined : JSON.parse(Buffer.from(sealer.open(Buffer.from(sealed, 'base64'))).toString('utf8'));
  } catch (cause) {
    throw new AppError('SECRET_UNREADABLE', `${parameter} cannot be opened with the configured key`, { cause });
  }
  if (!Array.isArray(content) || content[0] !== destinationId || content[1] !== parameter || typeof content[2] !== 'string') {
    throw new AppError(
      'SECRET_UNREADABLE',
      `${parameter} cannot be opened: ${sealer === undefined ? 'no key is configured' : 'it was sealed for another place'}`,
    );
  }
  return content[2];
}

async function readSecretFile(directory: string | undefined, parameter: string, name: string): Promise<string> {
  if (directory === undefined)
    throw new AppError(
      'SECRET_NOT_AVAILABLE',
      `${parameter} refers to the secret ${name}, but no secrets directory is configured`,
    );
  if (!isSecretName(name))
    throw new AppError('SECRET_NOT_AVAILABLE', `${parameter} refers to a secret whose name is no plain file name`);
  let text: string;
  try {
    text = await readFile(join(directory, name), 'utf8');
  } catch (cause) {
    throw new AppError(
      'SECRET_NOT_AVAILABLE',
      `${parameter} refers to the secret ${name}, which cannot be read in the secrets directory`,
      { cause },
    );
  }
  const value = text.replace(/\r?\n$/, '');
  if (value === '' || value.length > MAX_SECRET_CHARACTERS) {
    throw new AppError(
      'SECRET_NOT_AVAILABLE',
      `${parameter} refers to the secret ${name}, whose file is empty or larger than ${MAX_SECRET_CHARACTERS} characters`,
    );
  }
  return value;
}
