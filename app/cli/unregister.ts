import { makeAidboxClient } from '../aidbox/aidbox-client.ts';
import { MANIFEST_DIRECTORY } from '../aidbox/manifests.ts';
import { unregisterApp } from '../aidbox/register.ts';
import { loadConfig } from '../config/config.ts';
import { isAppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { makeLogger } from '../log.ts';

/** Gives the routes back to Aidbox: while they are taken over, an outage of this service stops the management of every kind of destination. */
try {
  const config = loadConfig();
  const {
    AIDBOX_URL: baseUrl,
    AIDBOX_CLIENT_ID: clientId,
    AIDBOX_CLIENT_SECRET: clientSecret,
    AIDBOX_TIMEOUT_MS: timeoutMs,
  } = config;
  await unregisterApp({
    client: makeAidboxClient({ baseUrl, clientId, clientSecret, timeoutMs }),
    manifestDirectory: MANIFEST_DIRECTORY,
    values: {
      LAKEHOUSE_APP_ID: config.APP_ID,
      LAKEHOUSE_APP_URL: 'http://unused.invalid',
      LAKEHOUSE_APP_SECRET: config.APP_SECRET,
    },
    log: makeLogger('info'),
  });
} catch (error) {
  process.stderr.write(
    isAppError(error) ? `${error.code}: ${error.message}. ${error.action}\n` : `failed: ${describeCause(error)}\n`,
  );
  process.exitCode = 1;
}
