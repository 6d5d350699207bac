import { loadConfig } from './config/config.ts';
import { isAppError } from './errors/app-error.ts';
import { describeCause } from './lib/describe-cause.ts';
import { makeLogger, type Logger } from './log.ts';
import { startService, type RunningService } from './service/service.ts';

/** A terminal and a parent may both pass the same Ctrl+C on: signals so close together are one. */
const SAME_WISH_MS = 1_000;

/**
 * Starts the service from the environment. The first SIGTERM or SIGINT stops it, also while it still starts; the second, or the end of the
 * grace, ends the process by force.
 */
async function main(): Promise<void> {
  let log = makeLogger('info');
  const stopping = new AbortController();
  let service: RunningService | undefined;
  let stoppedAtMs = 0;
  try {
    const config = loadConfig();
    log = makeLogger(config.LOG_LEVEL);
    onSignals((signal) => {
      if (stopping.signal.aborted) {
        if (performance.now() - stoppedAtMs > SAME_WISH_MS) end(log, 1, `second ${signal}`);
        return;
      }
      stoppedAtMs = performance.now();
      stopping.abort();
      log.info({
        event: 'service.stopping',
        reason: `${signal}; a second one ends the process at once`,
        ms: config.SHUTDOWN_GRACE_MS,
      });
      setTimeout(() => end(log, 1, 'the grace is over; nothing accepted is lost'), config.SHUTDOWN_GRACE_MS).unref();
      void service?.stop().then(() => process.exit(0));
    });
    service = await startService(config, log, { stop: stopping.signal });
    if (stopping.signal.aborted) await service.stop().then(() => process.exit(0));
  } catch (error) {
    if (stopping.signal.aborted) process.exit(0); // what had been started was closed again
    const known = isAppError(error)
      ? { code: error.code, message: error.message, action: error.action }
      : { code: 'INTERNAL' as const };
    log.error({ event: 'service.not-started', ...known, cause: describeCause(isAppError(error) ? error.cause : error) });
    process.exit(1);
  }
}

function onSignals(listener: (signal: NodeJS.Signals) => void): void {
  process.on('SIGTERM', listener);
  process.on('SIGINT', listener);
}

function end(log: Logger, status: number, reason: string): never {
  log.warn({ event: 'service.killed', reason });
  process.exit(status);
}

await main();
