import type { ErrorEntry } from './entry.ts';

/** Errors of managing destinations. Problems of single parameters are issues of one OperationOutcome, under DESTINATION_INVALID. */
export const DESTINATION_ERRORS = {
  DESTINATION_INVALID: {
    retry: 'never',
    meaning: 'The AidboxTopicDestination does not fit its profile; every problem is listed at once.',
    action: 'Correct each element named in `expression` and create the destination again.',
  },
  DESTINATION_NOT_IN_BUILD: {
    retry: 'never',
    meaning: 'The destination asks for something that is valid but not in this build yet.',
    action: 'Use writeMode external-direct with tablePath and without databricksWorkspaceUrl.',
  },
  DESTINATION_EXISTS: {
    retry: 'never',
    meaning: 'There is an AidboxTopicDestination with this id already.',
    action: 'Choose another id, or delete the existing destination first; destinations cannot be changed.',
  },
  DESTINATION_CHANGED: {
    retry: 'later',
    meaning: 'Another process changed the stored configuration of the destination in the meantime.',
    action: 'Nothing: read the destination and repeat the request if it is still wanted.',
  },
  DESTINATION_NOT_SERVED: {
    retry: 'never',
    meaning:
      'Aidbox holds a destination of our kind that was stored past this service (by a bundle, or on another route): nobody delivers it.',
    action: 'Delete it at /AidboxTopicDestination/<id> and create it by a single request to /fhir/AidboxTopicDestination.',
  },
  DESTINATION_NOT_DRAINED: {
    retry: 'later',
    meaning: 'A delete with drain=true found notifications still waiting when its time was over; nothing was deleted.',
    action: 'Repeat the delete, look at $status for what holds delivery up, or delete without drain to drop what waits.',
  },
  DESTINATION_SUSPENDED: {
    retry: 'never',
    meaning: 'The configuration was made for another Aidbox, so it came along with a copied database; it is not started.',
    action: 'Delete the destination here, or create it anew if this Aidbox shall write into that table.',
  },
  DESTINATION_UNREADABLE: {
    retry: 'never',
    meaning: 'A stored configuration is damaged or was written by a newer release.',
    action: 'Start the newer release, or delete the named Basic resource and create the destination again.',
  },
  TOPIC_NOT_FOUND: {
    retry: 'never',
    meaning: 'No AidboxSubscriptionTopic has the url that the destination names.',
    action: 'Create the topic first, or correct `topic` to the exact url of an existing one.',
  },
  VIEW_NOT_FOUND: {
    retry: 'never',
    meaning: 'No ViewDefinition, or more than one, has the name that the destination gives.',
    action: 'Set viewDefinition to the `name` (not the id) of exactly one ViewDefinition.',
  },
  VIEW_UNSUITABLE: {
    retry: 'never',
    meaning: 'The view cannot feed a table: it has no id column, or it names a column that the product fills itself.',
    action: 'Add the column {"name": "id", "path": "id"} to the ViewDefinition and remove a column named is_deleted.',
  },
  SECRET_NOT_AVAILABLE: {
    retry: 'never',
    meaning: 'A secret that a destination refers to cannot be read from the secrets directory.',
    action: 'Mount a file of that name into SECRETS_DIR, readable by the app; it is read again at the next use.',
  },
  SECRET_KEY_MISSING: {
    retry: 'never',
    meaning: 'A secret was given in clear but the app has no key to seal it with.',
    action: 'Give the secret as a vault reference (_valueString), or configure the encryption key of the app.',
  },
  SECRET_UNREADABLE: {
    retry: 'never',
    meaning: 'A sealed secret cannot be opened with the key of the app.',
    action: 'Restore the encryption key that sealed it, or delete and create the destination again.',
  },
} as const satisfies Record<string, ErrorEntry>;
