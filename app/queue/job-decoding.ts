import type { PayloadCodec } from './payload-codec.ts';
import { MAX_PEEK_BYTES } from './queue-options.ts';
import type { Job } from './queue-store.ts';

/**
 * The readable jobs before the first unreadable one: what can be delivered is, and nothing overtakes. Ends early when the bodies get big.
 * @throws AppError QUEUE_UNREADABLE when the first is unreadable
 */
export function decodeJobs(
  codec: PayloadCodec,
  records: readonly { readonly id: string; readonly data: string }[],
): readonly Job[] {
  const jobs: Job[] = [];
  let bytes = 0;
  for (const { id, data } of records) {
    try {
      const job = codec.decodeJob(id, data);
      bytes += job.body.length;
      if (bytes > MAX_PEEK_BYTES && jobs.length > 0) break;
      jobs.push(job);
    } catch (error) {
      if (jobs.length === 0) throw error;
      break;
    }
  }
  return jobs;
}
