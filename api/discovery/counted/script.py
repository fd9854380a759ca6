"""The script by which API processes count searches, and clicks and plays from their results, in Redis (`asked` calls it).

KEYS: the mark of this call, the queries of these ten minutes, the events of this hour, those of the hour before, how many
events clients reported in this hour.

ARGV: what all names begin with, how many queries a day has, seconds that brief keys and others are kept, how many listeners of
a query are counted on a day, how many make it known, the time and the time a week ago, the number of days and their names,
today first. Then, one behind the other: a query (empty if nobody may read it), the name of its language, the names of the
event and of its client (empty for a search), whether the query counts for popular searches, the number of listeners and their
names, the number of measures, and each measure with its count; the first one says how often.

A call that was done does nothing when it is repeated. An entry that fails does not keep the others from being counted; the
number of those that failed is returned behind what became of events.

An event counts once, and only for a query of today or yesterday, which has at most `CLICKS` of them for each answer. A query
that enough listeners asked in these days is known, as long as they are enough: what was counted of it is put on the list for
the roll-up, that of the days before too. A day that has too many queries loses those that were asked least, with their
listeners and counts, but none that is known, popular or on the list: a call adds one to a query's rank, however often it was
asked. The other keys have the hash tag of the declared ones.
"""

# Events of an hour whose names are remembered; further ones are lost.
MOST_EVENTS = 100_000
# Events of a client in an hour, and of a query for each of its answers on a day; further ones are refused.
MOST_OF_A_CLIENT, CLICKS = 200, 10
# What became of events, in the order in which the script returns their numbers.
OUTCOMES = ("counted", "repeated", "unknown", "lost", "refused")

COUNT = (
    f"local most_events, most_of_a_client, clicks = {MOST_EVENTS}, {MOST_OF_A_CLIENT}, {CLICKS}"
    """
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[3]) then return {0, 0, 0, 0, 0, 0} end
local begin, room, brief, keep = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local enough, known_by, now, oldest = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local days = {unpack(ARGV, 10, 9 + tonumber(ARGV[9]))}
local today, fresh, known = days[1], begin .. 'fresh', begin .. 'known'
local at, outcome, ranked, failed = 10 + #days, {0, 0, 0, 0, 0}, {}, 0

local function add(day, name, first, last)
  local key = begin .. 'count:' .. day .. ':' .. name
  for n = first, last, 2 do redis.call('HINCRBY', key, ARGV[n], ARGV[n + 1]) end
  redis.call('EXPIRE', key, keep)
end

local function hear(name, first, last)
  if last < first then return end
  local listeners, says_more = begin .. 'day:' .. today .. ':' .. name, true
  if redis.call('PFCOUNT', listeners) < enough then
    says_more = redis.call('PFADD', listeners, unpack(ARGV, first, last)) == 1
    redis.call('EXPIRE', listeners, keep)
  end
  local since = tonumber(redis.call('ZSCORE', known, name) or '0')
  if not says_more or now - since < 86400 then return end
  local sketches = {}
  for n, day in ipairs(days) do sketches[n] = begin .. 'day:' .. day .. ':' .. name end
  if redis.call('PFCOUNT', unpack(sketches)) < known_by then return end
  redis.call('ZADD', known, now, name)
  for _, day in ipairs(days) do
    if redis.call('EXISTS', begin .. 'count:' .. day .. ':' .. name) == 1 then
      redis.call('SADD', fresh, day .. ':' .. name)
    end
  end
end

local function accept(name, token, client, times)
  local asked = nil
  for n = 2, 1, -1 do
    if redis.call('ZSCORE', begin .. 'asked:' .. days[n], name) then asked = days[n] end
  end
  local credit, result = begin .. 'credit:' .. (asked or today), 1
  if not asked then result = 3
  elseif redis.call('SISMEMBER', KEYS[3], token) == 1 or redis.call('SISMEMBER', KEYS[4], token) == 1 then result = 2
  elseif redis.call('SCARD', KEYS[3]) >= most_events then result = 4
  elseif tonumber(redis.call('HGET', KEYS[5], client) or '0') >= most_of_a_client
    or tonumber(redis.call('HGET', credit, name) or '0') <= 0 then result = 5
  else
    redis.call('SADD', KEYS[3], token)
    redis.call('HINCRBY', KEYS[5], client, 1)
    redis.call('HINCRBY', credit, name, -times)
  end
  outcome[result] = outcome[result] + 1
  return result == 1 and asked
end

local function count(name, whole, token, client, popular, listener, first, last)
  local day = today
  if token ~= '' then day = accept(name, token, client, ARGV[first + 1]) end
  if not day then return end
  add(day, whole, first, last)
  redis.call('SADD', fresh, day .. ':' .. whole)
  if name == '' then return end
  add(day, name, first, last)
  if token == '' then
    if not ranked[name] then redis.call('ZINCRBY', begin .. 'asked:' .. day, 1, name) end
    ranked[name] = true
    redis.call('HINCRBY', begin .. 'credit:' .. day, name, clicks * tonumber(ARGV[first + 1]))
    if popular == '1' and redis.call('SCARD', KEYS[2]) < room then
      redis.call('ZINCRBY', begin .. 'day:' .. day, redis.call('SADD', KEYS[2], name), name)
    end
    hear(name, listener, first - 2)
  end
  if redis.call('ZSCORE', known, name) then redis.call('SADD', fresh, day .. ':' .. name) end
end

local function without_rarest(queries, is_kept)
  local gone, size = {}, redis.call('ZCARD', queries)
  if size <= room then return gone end
  for _, name in ipairs(redis.call('ZRANGE', queries, 0, size - math.floor(room * 3 / 4) - 1)) do
    if not is_kept(name) then
      redis.call('ZREM', queries, name)
      table.insert(gone, name)
    end
  end
  return gone
end

local function tidy()
  local asked, day = begin .. 'asked:' .. today, begin .. 'day:' .. today
  local function is_wanted(name) return redis.call('ZSCORE', known, name) or redis.call('ZSCORE', day, name) end
  for _, name in ipairs(without_rarest(asked, is_wanted)) do
    redis.call('DEL', day .. ':' .. name)
    redis.call('HDEL', begin .. 'credit:' .. today, name)
    if redis.call('SISMEMBER', fresh, today .. ':' .. name) == 0 then
      redis.call('DEL', begin .. 'count:' .. today .. ':' .. name)
    end
  end
  without_rarest(day, function() return false end)
  redis.call('ZREMRANGEBYRANK', known, 0, -2 * room - 1)
  for _, key in ipairs({asked, day, begin .. 'credit:' .. today, fresh, known}) do redis.call('EXPIRE', key, keep) end
  redis.call('EXPIRE', KEYS[2], brief)
  redis.call('EXPIRE', KEYS[3], 7200)
  redis.call('EXPIRE', KEYS[5], 7200)
end

local function try(...) if not pcall(...) then failed = failed + 1 end end

try(redis.call, 'ZREMRANGEBYSCORE', known, '-inf', oldest)
while at <= #ARGV do
  local name, whole, token, client, popular = unpack(ARGV, at, at + 4)
  local listener, first = at + 6, at + 7 + tonumber(ARGV[at + 5])
  local last = first - 1 + 2 * tonumber(ARGV[first - 1])
  try(count, name, whole, token, client, popular, listener, first, last)
  at = last + 1
end
try(tidy)
table.insert(outcome, failed)
return outcome
"""
)
