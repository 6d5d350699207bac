import { resolve } from 'node:path';
import { makeAidboxClient } from '../../aidbox/aidbox-client.ts';
import { loadConfig } from '../../config/config.ts';
import { makeDestinationRepository } from '../../destinations/destination-repository.ts';
import { normaliseInstallation, type Destination } from '../../destinations/destination.ts';
import { makeSecretStore } from '../../destinations/secret-store.ts';
import type { Logger } from '../../log.ts';
import { openSealer } from '../../service/seal-keys.ts';

/** A destination of this product in Aidbox, read with the environment of the service. @throws AppError */
export async function findStoredDestination(id: string, log: Logger): Promise<Destination | undefined> {
  const config = loadConfig();
  const {
    AIDBOX_URL: baseUrl,
    AIDBOX_CLIENT_ID: clientId,
    AIDBOX_CLIENT_SECRET: clientSecret,
    AIDBOX_TIMEOUT_MS: timeoutMs,
  } = config;
  const sealer = await openSealer(config.SEAL_KEY, resolve(config.DATA_DIR));
  return makeDestinationRepository({
    client: makeAidboxClient({ baseUrl, clientId, clientSecret, timeoutMs }),
    secrets: makeSecretStore({ sealer, directory: config.SECRETS_DIR }),
    installation: normaliseInstallation(baseUrl),
    log,
  }).get(id);
}
