import { AppError } from '../errors/app-error.ts';
import type { Logger } from '../log.ts';

export interface DurabilityGate {
  /**
   * @param findWeakness what was found and expected, or undefined when what the store acknowledges survives a crash
   * @throws AppError QUEUE_NOT_DURABLE unless weak durability is allowed; then the first finding is a warning
   */
  check(findWeakness: () => Promise<string | undefined>): Promise<void>;
}

export function makeDurabilityGate(address: string, allowWeakDurability: boolean, log: Logger): DurabilityGate {
  let hasWarned = false;
  return {
    async check(findWeakness) {
      const weakness = await findWeakness();
      if (weakness === undefined) return;
      const message = `the queue store ${address} may lose accepted events in a crash: ${weakness}`;
      if (!allowWeakDurability) throw new AppError('QUEUE_NOT_DURABLE', message);
      if (!hasWarned) log.warn({ event: 'queue.weakDurability', address, code: 'QUEUE_NOT_DURABLE', message });
      hasWarned = true;
    },
  };
}
