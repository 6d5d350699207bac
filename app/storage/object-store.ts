/** One object as a listing shows it; `path` is relative to the store's root, with `/` between its parts. */
export interface ListedObject {
  readonly path: string;
  readonly sizeBytes: number;
  /** Epoch milliseconds by the store's clock. */
  readonly modifiedAtMs: number;
}

/**
 * A directory of objects: local disk, S3, later GCS and ADLS. Every method throws `STORAGE_UNAVAILABLE` (later) when the answer is
 * unknown, `STORAGE_FORBIDDEN` (never) when the store refused, and is retried by nobody below the caller.
 */
export interface ObjectStore {
  /** For people and logs: `file:///…` or `s3://bucket/prefix`; never a credential. */
  readonly address: string;
  /** The whole object, or undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Size and time, or undefined when there is none. */
  head(path: string): Promise<ListedObject | undefined>;
  /** Objects whose path begins with `prefix`, in byte order of their paths, those after `startAfter` only. */
  list(prefix: string, startAfter?: string): AsyncIterable<ListedObject>;
  /** Writes or overwrites; durable and visible as a whole when it resolves. */
  put(path: string, body: Uint8Array): Promise<void>;
  /**
   * Atomic create. `exists` when another object stands there already. A thrown `STORAGE_UNAVAILABLE` leaves it open whether the object
   * was, or will still be, created: no hidden retry happens, so the answer always belongs to this one attempt.
   */
  putIfAbsent(path: string, body: Uint8Array): Promise<'created' | 'exists'>;
  /** Removes the object; none there is no error. */
  delete(path: string): Promise<void>;
  /** Releases connections. */
  close(): Promise<void>;
}
