import { loadConfig } from './config/config.ts';
import { isAppError } from './errors/app-error.ts';
import { describeCause } from './lib/describe-cause.ts';
import { makeLogger } from './log.ts';
import { startService } from './service/service.ts';

/** Starts the service from the environment; the first SIGTERM or SIGINT stops it, the second, or the end of the grace, ends it by force. */
async function main(): Promise<void> {
  const early = makeLogger('info');
  try {
    const config = loadConfig();
    const log = makeLogger(config.LOG_LEVEL);
    const service = await startService(config, log);
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        log.warn({ event: 'service.killed', reason: `second ${signal}` });
        process.exit(1);
      }
      stopping = true;
      log.info({ event: 'service.stopping', reason: `${signal}; a second one ends the process at once`, ms: config.SHUTDOWN_GRACE_MS });
      setTimeout(() => {
        log.warn({ event: 'service.killed', reason: 'the grace is over; nothing accepted is lost' });
        process.exit(1);
      }, config.SHUTDOWN_GRACE_MS).unref();
      void service.stop().then(() => process.exit(0));
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  } catch (error) {
    if (isAppError(error)) early.error({ event: 'service.not-started', code: error.code, message: error.message, action: error.action, cause: error.cause === undefined ? undefined : describeCause(error.cause) });
    else early.error({ event: 'service.not-started', code: 'INTERNAL', cause: describeCause(error) });
    process.exit(1);
  }
}

await main();
