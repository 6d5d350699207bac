import type { AppError } from '../../errors/app-error.ts';

/** Sends all of `events`; the refusal when the other side does not take them as they are. Anything else that goes wrong is thrown. */
export type TrySend<E> = (events: readonly E[]) => Promise<AppError | undefined>;

/**
 * Finds the events for which a request was refused, and sends the others. Each bad event costs one request for each halving and two more
 * (the event alone, and all that came behind it), so log2(n) + 2.
 *
 * @param events refused together, with `refusal`
 * @param reject called for each bad event, in order; what it throws ends the search
 */
export async function isolate<E>(
  events: readonly E[],
  refusal: AppError,
  send: TrySend<E>,
  reject: (event: E, refusal: AppError) => Promise<void> | void,
): Promise<void> {
  let rest = events;
  let reason: AppError | undefined = refusal;
  while (rest.length > 0 && reason !== undefined) {
    // `suspects` holds the first bad event; all before it are sent, `behind` comes after them.
    let suspects = rest;
    let behind: readonly E[] = [];
    let isCertain = suspects.length === 1;
    while (suspects.length > 1) {
      const half = Math.ceil(suspects.length / 2);
      const [left, right] = [suspects.slice(0, half), suspects.slice(half)];
      const refused = await send(left);
      if (refused === undefined) {
        suspects = right;
        isCertain = false;
      } else {
        reason = refused;
        behind = [...right, ...behind];
        suspects = left;
        isCertain = left.length === 1;
      }
    }
    const [suspect] = suspects as [E];
    // What the two halves tell together may have another cause (a total that is too large): only alone is it sure.
    const alone: AppError | undefined = isCertain ? reason : await send([suspect]);
    if (alone !== undefined) await reject(suspect, alone);
    rest = behind;
    reason = rest.length === 0 ? undefined : await send(rest);
  }
}
