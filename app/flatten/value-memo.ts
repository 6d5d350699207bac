import { startsWithBytes } from './equal-bytes.ts';

/** Values and bytes that are remembered; then all are forgotten. */
const MAX_VALUES = 512;
const MAX_BYTES = 64 << 10;
/** Longer values are not remembered. */
const MAX_VALUE_BYTES = 1_024;
/** After so many questions it shows whether remembering is worth its time. */
const TRIAL = 256;
const MIN_HITS = TRIAL / 4;

/** Bytes `from` to `to` of the store, which begin differently from those of its siblings. A class, so that V8 sees one shape. */
class Branch {
  /** The byte at `from`. */
  first: number;
  from: number;
  to: number;
  /** Undefined where a value ends. */
  branches: Branch[] | undefined;
  value: unknown;

  constructor(first: number, from: number, to: number, branches: Branch[] | undefined, value: unknown) {
    this.first = first;
    this.from = from;
    this.to = to;
    this.branches = branches;
    this.value = value;
  }
}

/**
 * What JSON texts were read as, by their bytes: resources of one file repeat themselves (codes, units, categories), and comparing bytes is
 * much faster than reading them. Only for texts of which none is the beginning of another: strings, objects and arrays. What does not repeat
 * is found out and given up. The values are shared by all who ask for them: they must not be changed.
 */
export class ValueMemo {
  /** Where the text that `find` found ends. */
  end = 0;
  /** True when values do not repeat: it should no longer be asked. */
  isUseless = false;
  #bytes = new Uint8Array(1_024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #count = 0;
  #branches: Branch[] = [];
  #asked = 0;
  #hits = 0;

  /**
   * Looks for the text that begins at `at`.
   * @param view of `bytes`
   * @returns undefined when it is not known
   */
  find(bytes: Uint8Array, view: DataView, at: number): { readonly value: unknown } | undefined {
    if (this.#asked++ === TRIAL) {
      this.isUseless = this.#hits < MIN_HITS;
      this.#asked = this.#hits = 0;
    }
    const storeView = this.#view;
    let branches = this.#branches;
    let place = at;
    for (;;) {
      const byte = bytes[place];
      let index = 0;
      while (index < branches.length && (branches[index] as Branch).first !== byte) index++;
      if (index === branches.length) return undefined;
      const branch = branches[index] as Branch;
      if (index > 0) {
        // Values often come several times in a row.
        branches[index] = branches[0] as Branch;
        branches[0] = branch;
      }
      if (!startsWithBytes(view, place, storeView, branch.from, branch.to)) return undefined;
      place += branch.to - branch.from;
      if (branch.branches === undefined) {
        this.#hits++;
        this.end = place;
        return branch;
      }
      branches = branch.branches;
    }
  }

  /** Remembers a text that is not known yet, from `start` to `end`. */
  add(bytes: Uint8Array, start: number, end: number, value: unknown): void {
    const size = end - start;
    if (size > MAX_VALUE_BYTES) return;
    if (this.#count === MAX_VALUES || this.#length + size > MAX_BYTES) this.#forget();
    this.#count++;
    let branches = this.#branches;
    let place = start;
    for (;;) {
      const branch = branches.find(({ first }) => first === bytes[place]);
      if (branch === undefined) break;
      let from = branch.from;
      while (from < branch.to && this.#bytes[from] === bytes[place]) {
        from++;
        place++;
      }
      if (from < branch.to) {
        // The branch parts here.
        const rest = new Branch(this.#bytes[from] as number, from, branch.to, branch.branches, branch.value);
        branch.to = from;
        branch.branches = [rest];
        branch.value = undefined;
      }
      branches = branch.branches ?? [];
    }
    branches.push(new Branch(bytes[place] as number, this.#length, this.#length + end - place, undefined, value));
    this.#store(bytes.subarray(place, end));
  }

  #store(added: Uint8Array): void {
    if (this.#length + added.length > this.#bytes.length) {
      const grown = new Uint8Array(2 * (this.#length + added.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#bytes.set(added, this.#length);
    this.#length += added.length;
  }

  #forget(): void {
    this.#branches = [];
    this.#count = this.#length = 0;
  }
}
