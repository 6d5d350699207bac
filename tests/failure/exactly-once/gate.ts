/**
 * What may happen to a call. To a put of a commit: it is applied, but the answer is lost; or its sender gives up and the request arrives
 * later. To any: the answer is under way while the owner is paused; it gets it when the trace opens the gate once more.
 */
export type Fault = 'answer lost' | 'request travels on' | 'answer comes late';

/** What an owner asks of the world; each waits at the gate until the trace lets it go on. */
export type CallName =
  | 'acquireLease'
  | 'checkpoint'
  | 'held'
  | 'peek'
  | 'settle'
  | 'quarantineSize'
  | 'waitForJob'
  | 'sleep'
  | 'list'
  | 'read'
  | 'head'
  | 'put'
  | 'putIfAbsent'
  | 'delete'
  | 'answer';

/** One call that stands at the gate. */
export interface Call {
  readonly name: CallName;
  /** Lets it go on; resolves when it was answered. */
  open(fault?: Fault): Promise<void>;
}

/** Thrown at every call of an owner that crashed: nothing it does reaches the world any more. */
export class Crash extends Error {}

interface WaitingCall extends Call {
  fail(error: Error): void;
}

/** All calls of one owner, stopped one by one. */
export class Gate {
  private readonly waiting: WaitingCall[] = [];
  private wake: () => void = () => undefined;
  private hasCrashed = false;

  /** The owner's side: waits for the trace, then acts. */
  async pass<T>(name: CallName, act: (fault: Fault | undefined) => Promise<T>): Promise<T> {
    let answered: () => void = () => undefined;
    const answer = new Promise<void>((resolve) => (answered = resolve));
    try {
      const fault = await this.wait(name, answer);
      const result = await act(fault);
      if (fault !== 'answer comes late') return result;
      answered();
      await this.wait('answer', Promise.resolve());
      return result;
    } finally {
      answered();
    }
  }

  /** For calls that no trace looks at; a crash stops them too. */
  assertAlive(): void {
    if (this.hasCrashed) throw new Crash('the owner crashed');
  }

  /** The trace's side: the oldest call that waits, as soon as there is one; undefined when `over` resolves before. */
  async next(over: Promise<unknown>): Promise<Call | undefined> {
    if (this.waiting.length === 0) await Promise.race([new Promise<void>((resolve) => (this.wake = resolve)), over]);
    return this.waiting[0];
  }

  crash(): void {
    this.hasCrashed = true;
    for (const call of this.waiting.splice(0)) call.fail(new Crash('the owner crashed'));
  }

  private wait(name: CallName, answer: Promise<void>): Promise<Fault | undefined> {
    this.assertAlive();
    return new Promise((resolve, reject) => {
      const open = (fault?: Fault): Promise<void> => {
        this.remove(call);
        resolve(fault);
        return answer;
      };
      const call: WaitingCall = { name, open, fail: reject };
      this.waiting.push(call);
      this.wake();
    });
  }

  private remove(call: WaitingCall): void {
    this.waiting.splice(this.waiting.indexOf(call), 1);
  }
}
