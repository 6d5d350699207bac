import { randomUUID } from 'node:crypto';

/** What a session remembers. */
export interface Session {
  readonly id: string;
  readonly principal: string;
  readonly warehouseId: string;
  readonly catalog: string | undefined;
  readonly schema: string | undefined;
  readonly configuration: Readonly<Record<string, string>>;
  usedAtMs: number;
}

/** Sessions of a warehouse. They end when they are closed, not used for long, or expired by a test. */
export class Sessions {
  private readonly open = new Map<string, Session>();
  private readonly idleMs: () => number;
  private readonly onEnd: (sessionId: string) => void;

  /** `onEnd` hears of each session that ended. */
  constructor(idleMs: () => number, onEnd: (sessionId: string) => void) {
    this.idleMs = idleMs;
    this.onEnd = onEnd;
  }

  get count(): number {
    this.sweep();
    return this.open.size;
  }

  add(facts: Omit<Session, 'id' | 'usedAtMs'>): Session {
    const session = { ...facts, id: randomUUID(), usedAtMs: Date.now() };
    this.open.set(session.id, session);
    return session;
  }

  /** The session, which counts as used now; undefined when it has ended or is another principal's. */
  use(id: string, principal: string): Session | undefined {
    this.sweep();
    const session = this.open.get(id);
    if (session === undefined || session.principal !== principal) return undefined;
    session.usedAtMs = Date.now();
    return session;
  }

  close(id: string): void {
    if (this.open.delete(id)) this.onEnd(id);
  }

  /** As if all had been idle for too long. */
  expireAll(): void {
    for (const id of [...this.open.keys()]) this.close(id);
  }

  private sweep(): void {
    const oldestMs = Date.now() - this.idleMs();
    for (const { id, usedAtMs } of [...this.open.values()]) if (usedAtMs < oldestMs) this.close(id);
  }
}
