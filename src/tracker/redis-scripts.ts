/**
 * What Redis does as one step, in Lua. What there is, behind the prefix:
 *
 * - `peer:ID` a hash: what the peer announced, with its keys as they are in a row of {@link readHeld};
 * - `seeds:KEY`, `reads:KEY` sorted sets of who has a key, each as its network, a space and its ID, in the order of these;
 * - `lives` peers by when they are over, `places` peers by their place (hash.ts), `counts` how many keys they have together;
 * - `done:KEY` how often a key was completed; `ipns` a hash of records by name.
 *
 * The sweep forgets peers that are over. All but the records has an expiry, too, for the case that no tracker comes back to sweep.
 * Keys are made in the scripts, so this is for one server and its replicas, not for Redis Cluster.
 */
import { type Script, script } from "./redis-link.ts";
import { REMEMBERED_MS } from "./store.ts";

const HOUR_MS = 3_600_000;

/**
 * How long lists are kept whose peers neither announce nor renew, in milliseconds. The lists of a peer are put off together, at
 * most once in TOUCHED_MS, since there may be ten thousand: the two are as far apart as an announce can hold, and a day.
 */
const KEPT_MS = 72 * HOUR_MS;
export const TOUCHED_MS: number = 24 * HOUR_MS;

/** How long a peer is kept after the sweep should have come, in milliseconds. */
const GRACE_MS = 24 * HOUR_MS;

/** How long it is known how often a key was completed that nobody completes any more, in milliseconds. */
const DONE_MS = 90 * 24 * HOUR_MS;

/** Peers of a key that are looked at to count it; of more, what some have given stands for all. */
const MAX_COUNTED = 200;

/** Draws until there is nobody among those drawn who is over. */
const DRAWS = 3;

/** Peers, and keys of theirs, that one step of the sweep forgets: all others wait for its end. */
const SWEPT = 500, SWEPT_KEYS = 2_000;

const ALL = `
  local prefix = ARGV[1]
  local function at(kind, name) return prefix .. kind .. ':' .. name end
  local lives, places, counts = prefix .. 'lives', prefix .. 'places', prefix .. 'counts'

  -- Numbers as they are, and not as 1.8e+12.
  local function written(number) return string.format('%.0f', number) end

  -- What is told of a peer that lives.
  local function told(id, now)
    local peer = redis.call('HMGET', at('peer', id),
      'expires', 'ttl', 'met', 'src', 'world', 'lan', 'machine')
    if not peer[1] or tonumber(peer[1]) <= now then return nil end
    table.insert(peer, id)
    return peer
  end

  local function stay(id, expires, now)
    redis.call('PEXPIRE', at('peer', id), written(expires - now + ${REMEMBERED_MS + GRACE_MS}))
    redis.call('ZADD', lives, written(expires), id)
    for _, list in ipairs({ lives, places, counts }) do
      redis.call('PEXPIRE', list, ${KEPT_MS})
    end
  end
`;

/** Arguments: a peer as JSON. Answer: 1, or 0 where another announce of it came between. */
export const ANNOUNCE: Script = script(`${ALL}
  local said = cjson.decode(ARGV[2])
  local id, peer = said.id, at('peer', said.id)
  if (redis.call('HGET', peer, 'time') or '') ~= said.after then return 0 end
  for kind, keys in pairs(said.drop) do
    for _, key in ipairs(keys) do redis.call('ZREM', at(kind, key), said.was) end
  end
  for kind, keys in pairs(said.add) do
    for _, key in ipairs(keys) do
      redis.call('ZADD', at(kind, key), 0, said.is)
      redis.call('PEXPIRE', at(kind, key), ${KEPT_MS})
    end
  end
  for kind, more in pairs(said.more) do redis.call('HINCRBY', counts, kind, more) end
  for _, key in ipairs(said.completed) do
    redis.call('INCR', at('done', key))
    redis.call('PEXPIRE', at('done', key), ${DONE_MS})
  end
  for field, value in pairs(said.fields) do redis.call('HSET', peer, field, value) end
  redis.call('HSETNX', peer, 'met', 0)
  redis.call('ZADD', places, said.place, id)
  stay(id, said.expires, said.now)
  return 1`);

/** Arguments: a place, the secret of the token, the time, what was given. Answer: the TTL, or nothing. */
export const RENEW: Script = script(`${ALL}
  local now, given = tonumber(ARGV[4]), ARGV[5]
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', places, ARGV[2], ARGV[2])) do
    local peer = at('peer', id)
    local secret, expires, ttl, before, touched =
      unpack(redis.call('HMGET', peer, 'secret', 'expires', 'ttl', 'given', 'touched'))
    if secret == ARGV[3] and tonumber(expires) > now then
      expires = now + 1000 * ttl
      redis.call('HSET', peer, 'expires', written(expires))
      if tonumber(given) > tonumber(before) then redis.call('HSET', peer, 'given', given) end
      if now - touched > ${TOUCHED_MS} then
        redis.call('HSET', peer, 'touched', ARGV[4])
        for _, kind in ipairs({ 'seeds', 'reads' }) do
          for key in string.gmatch(redis.call('HGET', peer, kind), '%S+') do
            redis.call('PEXPIRE', at(kind, key), ${KEPT_MS})
          end
        end
      end
      stay(id, expires, now)
      return tonumber(ttl)
    end
  end`);

/**
 * Arguments: a key, the time, how many, and a network or nothing. Answer: some of those that have the key, each as told() and 1
 * for whole or 0. Seeders and readers each get half, and what the others leave.
 */
export const FIND: Script = script(`${ALL}
  local now, limit, network = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
  local lists = { at('seeds', ARGV[2]), at('reads', ARGV[2]) }
  local from, to = '[' .. network .. ' ', '(' .. network .. '!'

  local function size(list)
    if network == '' then return redis.call('ZCARD', list) end
    return redis.call('ZLEXCOUNT', list, from, to)
  end
  local function draw(list, all, count)
    if count == 0 then return {} end
    if network == '' then return redis.call('ZRANDMEMBER', list, count) end
    local start = math.random(0, all - 1)
    local some = redis.call('ZRANGEBYLEX', list, from, to, 'LIMIT', start, count)
    local rest = math.min(count - #some, start)
    if rest > 0 then
      local others = redis.call('ZRANGEBYLEX', list, from, to, 'LIMIT', 0, rest)
      for _, other in ipairs(others) do table.insert(some, other) end
    end
    return some
  end

  local found
  for _ = 1, ${DRAWS} do
    found = {}
    local over = 0
    local seeds, reads = size(lists[1]), size(lists[2])
    local whole = math.min(seeds, math.max(math.ceil(limit / 2), limit - reads))
    local drawn = {
      draw(lists[1], seeds, whole),
      draw(lists[2], reads, math.min(reads, limit - whole)),
    }
    for i, list in ipairs(lists) do
      for _, member in ipairs(drawn[i]) do
        local peer = told(string.sub(member, string.find(member, ' ', 1, true) + 1), now)
        if peer then
          table.insert(peer, 2 - i)
          table.insert(found, peer)
        else
          redis.call('ZREM', list, member)
          over = over + 1
        end
      end
    end
    if over == 0 then break end
  end
  return found`);

/** Arguments: an ID, a key, the time. Answer: 1 where the peer has the key. */
export const HAS: Script = script(`${ALL}
  local network, expires = unpack(redis.call('HMGET', at('peer', ARGV[2]), 'network', 'expires'))
  if not expires or tonumber(expires) <= tonumber(ARGV[4]) then return 0 end
  local member = network .. ' ' .. ARGV[2]
  for _, kind in ipairs({ 'seeds', 'reads' }) do
    if redis.call('ZSCORE', at(kind, ARGV[3]), member) then return 1 end
  end
  return 0`);

/** Arguments: an ID, the time. Answer: what is told of the peer, or nothing. */
export const PEER: Script = script(`${ALL} return told(ARGV[2], tonumber(ARGV[3]))`);

/**
 * Arguments: a place, the time, how many. Answer: peers around the place, each as told() and its place. Who shares more of the
 * first bits is nearer: blocks of the ring, each twice the one before.
 */
export const CLOSEST: Script = script(`${ALL}
  local place, now, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  local width = 1
  while true do
    local from = place - place % width
    local to = '(' .. written(from + width)
    local last = width >= 2 ^ 48
    if last or redis.call('ZCOUNT', places, written(from), to) >= limit then
      local found = {}
      local all = redis.call('ZRANGEBYSCORE', places, written(from), to,
        'WITHSCORES', 'LIMIT', 0, limit * 16)
      for i = 1, #all, 2 do
        local peer = told(all[i], now)
        if peer then
          table.insert(peer, all[i + 1])
          table.insert(found, peer)
        end
      end
      if last or #found >= limit then return found end
    end
    width = width * 2
  end`);

/** Arguments: an ID, when it was met, and each address as JSON. */
export const MET: Script = script(`${ALL}
  local peer = at('peer', ARGV[2])
  local world = redis.call('HGET', peer, 'world')
  if not world then return end
  for i = 4, #ARGV do
    if not string.find(world, ARGV[i], 1, true) then
      world = world .. (world == '' and '' or ',') .. ARGV[i]
    end
  end
  redis.call('HSET', peer, 'world', world, 'met', ARGV[3])`);

/** Arguments: a key, the time. Answer: seeders, readers, completed, given. */
export const COUNT: Script = script(`${ALL}
  local now = tonumber(ARGV[3])
  local lists = { at('seeds', ARGV[2]), at('reads', ARGV[2]) }
  local sizes = { redis.call('ZCARD', lists[1]), redis.call('ZCARD', lists[2]) }
  local all = sizes[1] + sizes[2]
  local counted, living, given = 0, { 0, 0 }, 0
  for i, list in ipairs(lists) do
    local share = all > ${MAX_COUNTED} and math.ceil(${MAX_COUNTED} * sizes[i] / all) or sizes[i]
    for _, member in ipairs(share > 0 and redis.call('ZRANDMEMBER', list, share) or {}) do
      local id = string.sub(member, string.find(member, ' ', 1, true) + 1)
      local expires, gave = unpack(redis.call('HMGET', at('peer', id), 'expires', 'given'))
      counted = counted + 1
      if expires and tonumber(expires) > now then
        living[i] = living[i] + 1
        given = given + gave
      end
    end
  end
  if all > ${MAX_COUNTED} then living, given = sizes, given * all / counted end
  return { living[1], living[2], redis.call('GET', at('done', ARGV[2])) or 0, written(given) }`);

/** Arguments: a name, a record, 1 where there was one before, and that one. Answer: 1 where it is stored. */
export const PUT: Script = script(`${ALL}
  local here = redis.call('HGET', prefix .. 'ipns', ARGV[2])
  if here ~= (ARGV[4] == '1' and ARGV[5]) then return 0 end
  redis.call('HSET', prefix .. 'ipns', ARGV[2], ARGV[3])
  return 1`);

/** Arguments: the time up to which peers are forgotten. Answer: how many were. */
export const SWEEP: Script = script(`${ALL}
  local ids = redis.call('ZRANGEBYSCORE', lives, '-inf', ARGV[2], 'LIMIT', 0, ${SWEPT})
  local forgotten, keys = 0, 0
  for _, id in ipairs(ids) do
    local network, seeds, reads =
      unpack(redis.call('HMGET', at('peer', id), 'network', 'seeds', 'reads'))
    for kind, held in pairs({ seeds = seeds or '', reads = reads or '' }) do
      local had = 0
      for key in string.gmatch(held, '%S+') do
        redis.call('ZREM', at(kind, key), network .. ' ' .. id)
        had = had + 1
      end
      redis.call('HINCRBY', counts, kind, 0 - had)
      keys = keys + had
    end
    redis.call('DEL', at('peer', id))
    redis.call('ZREM', lives, id)
    redis.call('ZREM', places, id)
    forgotten = forgotten + 1
    if keys > ${SWEPT_KEYS} then break end
  end
  -- What Redis forgot by itself could not be counted.
  if redis.call('ZCARD', lives) == 0 then redis.call('DEL', counts) end
  return forgotten`);
