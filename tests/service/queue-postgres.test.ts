import { findPostgres } from '../helpers/postgres.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { queueSuite } from './queue-suite.ts';

describeWith(await findPostgres(), 'queue store on PostgreSQL', queueSuite);
