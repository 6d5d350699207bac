import { AIDBOX_ERRORS } from './aidbox.ts';
import { DATABRICKS_ERRORS } from './databricks.ts';
import { DELIVERY_ERRORS } from './delivery.ts';
import { DELTA_ERRORS } from './delta.ts';
import { DESTINATION_ERRORS } from './destination.ts';
import { QUEUE_ERRORS } from './queue.ts';
import { SERVICE_ERRORS } from './service.ts';
import { STORAGE_ERRORS } from './storage.ts';
import { VIEW_ERRORS } from './view.ts';
import { WAREHOUSE_ERRORS } from './warehouse.ts';

/** Every error of the product, by code. docs/errors.md is made from it (`npm run docs`) and a test keeps the two in step. Codes are never reused. */
export const ERRORS = {
  ...SERVICE_ERRORS,
  ...AIDBOX_ERRORS,
  ...DESTINATION_ERRORS,
  ...VIEW_ERRORS,
  ...QUEUE_ERRORS,
  ...DELIVERY_ERRORS,
  ...DELTA_ERRORS,
  ...STORAGE_ERRORS,
  ...WAREHOUSE_ERRORS,
  ...DATABRICKS_ERRORS,
} as const;

export type ErrorCode = keyof typeof ERRORS;
