import type { ErrorEntry } from './entry.ts';

/** Errors of the conversation with Aidbox: our calls to it, and its calls to us. */
export const AIDBOX_ERRORS = {
  AIDBOX_UNAVAILABLE: {
    retry: 'later',
    meaning: 'Aidbox did not answer, is overloaded, failed by itself, or is not activated yet.',
    action: 'Check that Aidbox runs, is activated with a licence and is reachable at AIDBOX_URL; the product goes on by itself.',
  },
  AIDBOX_REFUSED: {
    retry: 'never',
    meaning: 'Aidbox refused a call of the app: its Client or AccessPolicy lacks a grant, or its secret is wrong.',
    action:
      'Load manifests/client.json and manifests/access-policy.json (or allow the named method and path) and check the client secret.',
  },
  AIDBOX_ANSWER_UNEXPECTED: {
    retry: 'never',
    meaning: 'Aidbox answered with something the app does not know for this call.',
    action: 'Compare the version of Aidbox with the supported ones and report the method, path and status of the message.',
  },
  AIDBOX_VERSION_UNSUPPORTED: {
    retry: 'never',
    meaning: 'Aidbox is older than the first version that the app works with.',
    action: 'Upgrade Aidbox to version 2605 or newer.',
  },
  MANIFEST_INVALID: {
    retry: 'never',
    meaning: 'A file of manifests/ is missing, is not JSON, or holds a placeholder that has no value.',
    action: 'Restore manifests/ from the release and set the value named in the message.',
  },
  OPERATION_UNAUTHORIZED: {
    retry: 'never',
    meaning: 'A call to the App endpoint did not carry the id and secret of the App.',
    action:
      'Let Aidbox call the endpoint itself; after a change of the App secret start the app again so that it registers the new one.',
  },
  OPERATION_INVALID: {
    retry: 'never',
    meaning: 'A call to the App endpoint is not an operation call as Aidbox makes it, or names no usable id.',
    action: 'Call the operation through Aidbox, with an id of letters, digits, dots, hyphens and underscores.',
  },
  CONTENT_TYPE_UNSUPPORTED: {
    retry: 'never',
    meaning: 'A destination was sent as something else than JSON.',
    action: 'Send it as JSON with the header Content-Type: application/json or application/fhir+json.',
  },
  OPERATION_UNKNOWN: {
    retry: 'never',
    meaning: 'Aidbox forwarded an operation that this release does not have.',
    action: 'Start the current release so that it registers its operations, and remove Operation resources of older ones.',
  },
} as const satisfies Record<string, ErrorEntry>;
