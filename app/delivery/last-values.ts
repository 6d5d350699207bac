import type { Resource } from '../view/compiled-view.ts';

/** What the history of a deleted resource says. */
export interface LastValues {
  /** The last content, with the meta of the deletion (`lastUpdated` is the time of the deletion). */
  readonly resource: Resource;
}

/** Where a deletion's content and time come from when its notification lacks them. */
export interface LastValuesSource {
  /**
   * The content of `resourceType/id` as it was deleted; undefined when the history holds none. `versionId`: of the deletion, or of the state before
   * it; a resource may have been deleted more than once.
   * @throws AppError HISTORY_NOT_READABLE for this resource; AIDBOX_UNAVAILABLE, AIDBOX_REFUSED for anything
   */
  read(resourceType: string, id: string, versionId: string | undefined): Promise<LastValues | undefined>;
}
