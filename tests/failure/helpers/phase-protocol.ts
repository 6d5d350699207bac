/** Where a process of the service can be stopped, in the order of one delivery; `accept` is the webhook's. */
export const PHASES = ['accept', 'before-data-file', 'file-to-commit', 'inside-commit', 'commit-to-complete', 'inside-complete'] as const;
export type Phase = (typeof PHASES)[number];

/**
 * `before`: the call was not made yet. `sent`: it is on its way to the store, its answer has not come. `answered`: the store carried it
 * out, the service does not know it yet. `failed`: the call threw, the service does not know it yet.
 */
export type Moment = 'before' | 'sent' | 'answered' | 'failed';

/** What phased-service.ts says. At each `stand` the call under way goes no further until the answer `go` with the same number. */
export type FromService =
  | { readonly kind: 'ready' }
  | { readonly kind: 'stand'; readonly number: number; readonly phase: Phase; readonly moment: Moment };

export interface ToService {
  readonly go: number;
}
