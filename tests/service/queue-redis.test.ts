import { describeWith } from '../helpers/services/availability.ts';
import { findRedis } from '../helpers/redis.ts';
import { queueSuite } from './queue-suite.ts';

describeWith(await findRedis(), 'queue store on Redis', queueSuite);
