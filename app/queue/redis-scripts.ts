import type { Redis, Result } from 'ioredis';

/** Answers of our scripts beside their results; BullMQ's own codes are -1 to -11. */
export const REFUSAL = { dropped: -901, full: -902, leaseLost: -903 } as const;

/** Keys of one destination that are ours: under those of its BullMQ queue, where a job id (a UUID) cannot collide. */
export function ownKey(prefix: string, scope: string, name: string): string {
  return `${prefix}:${scope}:own:${name}`;
}

/** Leases that belong to no destination: `~` cannot stand in a scope. */
export function workLeaseKey(prefix: string, name: string): string {
  return `${prefix}:~work:${name}`;
}

/** Where `add` says that a scope has work. */
export function jobChannel(prefix: string): string {
  return `${prefix}:~jobs`;
}

/**
 * BullMQ's script that adds a job, with admission before it and our books after it, in one atomic step. BullMQ's text is taken as it is,
 * as the body of a function, so `Queue.add` is the producer and nothing of BullMQ's format is ours. When the memory is full the
 * first write fails, before anything was written.
 * @param bullmq KEYS[1] wait, KEYS[3] meta; ARGV[1] msgpack of [key prefix, id, name, …], ARGV[2] data
 */
export function withAdmission(
  bullmq: string,
  prefix: string,
  limits: { readonly maxJobs: number; readonly maxBytes: number },
): string {
  return `
local function bullmqAdd(KEYS, ARGV)
${bullmq}
end
local base, _, name = unpack(cmsgpack.unpack(ARGV[1]), 1, 3)
local bytesKey, eventsKey = base .. 'own:bytes', base .. 'own:events'
if redis.call('EXISTS', base .. 'own:dropped') == 1 then return ${REFUSAL.dropped} end
local jobs = redis.call('LLEN', KEYS[1])
local size = #ARGV[2]
if jobs >= ${limits.maxJobs} then return ${REFUSAL.full} end
if jobs > 0 and tonumber(redis.call('GET', bytesKey) or '0') + size > ${limits.maxBytes} then return ${REFUSAL.full} end
redis.call('HSETNX', KEYS[3], 'opts.maxLenEvents', 1)
local id = bullmqAdd(KEYS, ARGV)
if jobs == 0 then redis.call('DEL', bytesKey, eventsKey) end
redis.call('INCRBY', bytesKey, size)
redis.call('INCRBY', eventsKey, string.match(name, '^%d+'))
redis.call('PUBLISH', '${jobChannel(prefix)}', string.sub(base, ${prefix.length + 2}, -2))
return id
`;
}

/** A deletion that deletes nothing, first in a script, lets the writes after it pass when the memory is full: these scripts free memory, or must not stop what does. */
const PASS_WHEN_FULL = (key: string): string => `redis.call('DEL', ${key} .. ':none')`;

const SCRIPTS = {
  /** KEYS: lease, wait list. ARGV: token, skip, limit, most bytes, job key prefix. Returns id, data, id, data, … oldest first. */
  lhPeek: {
    numberOfKeys: 2,
    lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return ${REFUSAL.leaseLost} end
local skip, limit, room = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found = {}
local ids = redis.call('LRANGE', KEYS[2], -skip - limit, -skip - 1)
for i = #ids, 1, -1 do
  local data = redis.call('HGET', ARGV[5] .. ids[i], 'data')
  if not data then
    redis.call('LREM', KEYS[2], -1, ids[i])
  else
    room = room - #data
    if room < 0 and #found > 0 then break end
    found[#found + 1] = ids[i]
    found[#found + 1] = data
  end
end
return found
`,
  },

  /**
   * KEYS: wait list. ARGV: queue key prefix, JSON [[id, tally], …], checkpoint ('' for none), then key, time and entry of each quarantined event.
   * A job that is not there any more adds nothing.
   */
  lhSettle: {
    numberOfKeys: 1,
    lua: `
local base, own = ARGV[1], ARGV[1] .. 'own:'
if redis.call('EXISTS', own .. 'dropped') == 1 then return 0 end
local jobs = cjson.decode(ARGV[2])
${PASS_WHEN_FULL('own')}
for i = 4, #ARGV, 3 do
  if redis.call('HSETNX', own .. 'quarantine', ARGV[i], ARGV[i + 2]) == 1 then
    redis.call('ZADD', own .. 'quarantineOrder', ARGV[i + 1], ARGV[i])
    redis.call('INCRBY', own .. 'quarantineBytes', #ARGV[i + 2])
  end
end
local totals, bytes, events, ended = {}, 0, 0, 0
for _, job in ipairs(jobs) do
  local key = base .. job[1]
  local size = redis.call('HSTRLEN', key, 'data')
  if size > 0 then
    redis.call('LREM', KEYS[1], -1, job[1])
    events = events + tonumber(string.match(redis.call('HGET', key, 'name'), '^%d+') or '0')
    redis.call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
    bytes, ended = bytes + size, ended + 1
    for name, value in pairs(job[2]) do totals[name] = (totals[name] or 0) + value end
  end
end
for name, value in pairs(totals) do redis.call('HINCRBY', own .. 'counters', name, string.format('%.0f', value)) end
redis.call('DEL', base .. 'events') -- BullMQ's stream names jobs, and nobody reads it
if ARGV[3] ~= '' then redis.call('SET', own .. 'checkpoint', ARGV[3]) end
if redis.call('LLEN', KEYS[1]) == 0 then
  redis.call('DEL', own .. 'bytes', own .. 'events')
else
  redis.call('DECRBY', own .. 'bytes', bytes)
  redis.call('DECRBY', own .. 'events', events)
end
return ended
`,
  },

  /** KEYS: lease, tombstone. ARGV: token, ttl in ms. */
  lhAcquire: {
    numberOfKeys: 2,
    lua: `
if redis.call('EXISTS', KEYS[2]) == 1 then return ${REFUSAL.dropped} end
${PASS_WHEN_FULL('KEYS[1]')}
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
`,
  },
  /** KEYS: lease. ARGV: token, ttl in ms. */
  lhRenew: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`,
  },
  /** KEYS: lease. ARGV: token. */
  lhRelease: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
  },

  /** KEYS: counters, tombstone. ARGV: JSON of counters. */
  lhCount: {
    numberOfKeys: 2,
    lua: `
local delta = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
${PASS_WHEN_FULL('KEYS[1]')}
for name, value in pairs(delta) do redis.call('HINCRBY', KEYS[1], name, string.format('%.0f', value)) end
return 1
`,
  },
  /** KEYS: value, tombstone. ARGV: value. */
  lhPut: {
    numberOfKeys: 2,
    lua: `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
${PASS_WHEN_FULL('KEYS[1]')}
redis.call('SET', KEYS[1], ARGV[1])
return 1
`,
  },

  /**
   * KEYS: tombstone, queue's meta. ARGV: prefix of our keys, lifetime in ms. From here on nothing comes in; BullMQ may obliterate the
   * queue (it must be paused for that; its own command for pausing would not pass when the memory is full).
   */
  lhBury: {
    numberOfKeys: 2,
    lua: `
for _, name in ipairs({'lease', 'bytes', 'events', 'counters', 'checkpoint', 'status', 'quarantine', 'quarantineOrder', 'quarantineBytes'}) do
  redis.call('UNLINK', ARGV[1] .. name)
end
redis.call('SET', KEYS[1], 1, 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'paused', 1)
return 1
`,
  },

  /** KEYS: entries, order. ARGV: skip, limit. */
  lhQuarantineList: {
    numberOfKeys: 2,
    lua: `
local keys = redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[1] + ARGV[2] - 1)
local found = {}
for i, key in ipairs(keys) do found[i] = redis.call('HGET', KEYS[1], key) end
return found
`,
  },
  /** KEYS: entries, order, bytes. ARGV: keys. */
  lhQuarantineRemove: {
    numberOfKeys: 3,
    lua: `
local entries, bytes = 0, 0
for _, key in ipairs(ARGV) do
  local size = redis.call('HSTRLEN', KEYS[1], key)
  if size > 0 then
    redis.call('HDEL', KEYS[1], key)
    redis.call('ZREM', KEYS[2], key)
    entries, bytes = entries + 1, bytes + size
  end
end
if redis.call('HLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[3]) else redis.call('DECRBY', KEYS[3], bytes) end
return entries
`,
  },
} as const;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    lhPeek(
      lease: string,
      wait: string,
      token: string,
      skip: number,
      limit: number,
      maxBytes: number,
      jobPrefix: string,
    ): Result<string[] | number, Context>;
    lhSettle(
      wait: string,
      base: string,
      jobsJson: string,
      checkpoint: Buffer,
      ...quarantine: (string | number)[]
    ): Result<number, Context>;
    lhAcquire(lease: string, tombstone: string, token: string, ttlMs: number): Result<number, Context>;
    lhRenew(lease: string, token: string, ttlMs: number): Result<number, Context>;
    lhRelease(lease: string, token: string): Result<number, Context>;
    lhCount(counters: string, tombstone: string, deltaJson: string): Result<number, Context>;
    lhPut(value: string, tombstone: string, content: Buffer): Result<number, Context>;
    lhBury(tombstone: string, meta: string, ownPrefix: string, ttlMs: number): Result<number, Context>;
    lhQuarantineList(entries: string, order: string, skip: number, limit: number): Result<string[], Context>;
    lhQuarantineRemove(entries: string, order: string, bytes: string, ...keys: string[]): Result<number, Context>;
  }
}

export function defineScripts(client: Redis): void {
  for (const [name, definition] of Object.entries(SCRIPTS)) client.defineCommand(name, definition);
}
