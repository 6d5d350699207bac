import { ValueMemo } from './value-memo.ts';

/** Keys that are known; further ones are read anew each time. */
const MAX_KEYS = 1_000;
const MAX_KEYS_OF_ONE = 64;

/** A key as it stands at one place of the resources, and what is known of its values. */
export interface Key {
  /** The key in quotes, with the colon. */
  readonly token: DataView;
  /** Under which its values are kept; undefined when they are not. */
  readonly name: string | undefined;
  /** Undefined when values do not repeat. */
  memo: ValueMemo | undefined;
  /** Keys of the objects that are its values, or items of these. */
  readonly keys: Keys;
  /** The key that stood behind it the last time. */
  next: Key | undefined;
}

/** The keys of objects at one place. */
export interface Keys {
  readonly known: Key[];
  /** False where values are left out. */
  readonly isKept: boolean;
  /** The key that stood first the last time. */
  first: Key | undefined;
}

/** Finds out which keys are kept and remembers where they stand: resources of one file have nearly the same keys in the same order. */
export class KeyTree {
  readonly root: Keys = { known: [], isKept: true, first: undefined };
  readonly #names: ReadonlySet<string>;
  #count = 0;

  /** @param names each is kept, also with a capital behind it and with an underscore before it */
  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  /**
   * A key that is not known yet.
   * @param token the key in quotes and a colon
   */
  learn(keys: Keys, key: string, token: Uint8Array): Key {
    const isKept = keys.isKept && this.#isKept(key);
    const learned: Key = {
      token: new DataView(new Uint8Array(token).buffer),
      name: isKept ? key : undefined,
      memo: undefined,
      keys: { known: [], isKept, first: undefined },
      next: undefined,
    };
    if (this.#count < MAX_KEYS && keys.known.length < MAX_KEYS_OF_ONE) {
      this.#count++;
      learned.memo = new ValueMemo();
      keys.known.push(learned);
    }
    return learned;
  }

  #isKept(key: string): boolean {
    const start = key.startsWith('_') ? 1 : 0;
    if (this.#names.has(key) || this.#names.has(key.slice(start))) return true;
    for (let end = start + 1; end < key.length; end++) {
      if (/[A-Z]/.test(key.charAt(end)) && this.#names.has(key.slice(start, end))) return true;
    }
    return false;
  }
}
