import type { ErrorEntry } from './entry.ts';

/** Errors of the program itself: configuration, start and stop. */
export const SERVICE_ERRORS = {
  CONFIG_INVALID: {
    retry: 'never',
    meaning: 'The environment holds values that the configuration does not accept; every problem is listed at once.',
    action: 'Correct the named variables (docs/configuration.md) and start again.',
  },
  PORT_IN_USE: {
    retry: 'never',
    meaning: 'The HTTP port cannot be opened.',
    action: 'Free the port, or set PORT to another one.',
  },
  INTERNAL: {
    retry: 'later',
    meaning: 'A fault of the product itself.',
    action: 'Report it with the log line and the correlation id; what was accepted is kept and tried again.',
  },
} as const satisfies Record<string, ErrorEntry>;
