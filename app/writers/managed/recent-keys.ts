/** About 100 bytes each. */
const MAX_KEYS = 100_000;

/**
 * Keys of the events that this process has written last, oldest forgotten first. Managed tables do not remember events (contract §2.9), so what
 * comes back soon, because a later part of its batch failed or Aidbox sent it again, is recognised here.
 */
export class RecentKeys {
  private readonly keys = new Set<string>();
  private readonly maxKeys: number;

  constructor(maxKeys = MAX_KEYS) {
    this.maxKeys = maxKeys;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  add(key: string): void {
    this.keys.add(key);
    if (this.keys.size > this.maxKeys) this.keys.delete(this.keys.values().next().value!);
  }
}
