"""The script by which API processes count searches, and clicks and plays from their results, in Redis (`asked` calls it).

KEYS: the mark of this call, the queries of these ten minutes, the events of this hour, those of the hour before.

ARGV: what all names begin with, how many queries a day has, seconds that brief keys and others are kept, how many listeners of
a query are counted on a day, how many make it known, the time and the time a week ago, the number of days and their names,
today first. Then, one behind the other: a query (empty if nobody may read it), the name of its language, the name of the
event (empty for a search), whether the query counts for popular searches, the number of listeners and their names, the
number of measures, and each measure with its count; the first one says how often.

A call that was done does nothing when it is repeated. An event counts once, and only for a query of today or yesterday. A
query that enough listeners asked in these days is known: what was counted of it is put on the list for the roll-up, that of
the days before too. A day that has too many queries loses the quarter that was asked least, with their listeners and counts.
The other keys have the hash tag of the declared ones.
"""

# Events of an hour whose names are remembered; further ones are lost.
MOST_EVENTS = 100_000

COUNT = (
    """
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[3]) then return {0, 0, 0, 0} end
local begin, room, brief, keep = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local enough, known_by, now, oldest = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8]
local days = {unpack(ARGV, 10, 9 + tonumber(ARGV[9]))}
local today, fresh, known = days[1], begin .. 'fresh', begin .. 'known'
local at, outcome = 10 + #days, {0, 0, 0, 0}
redis.call('ZREMRANGEBYSCORE', known, '-inf', oldest)

local function add(day, name, first, last)
  local key = begin .. 'count:' .. day .. ':' .. name
  for n = first, last, 2 do redis.call('HINCRBY', key, ARGV[n], ARGV[n + 1]) end
  redis.call('EXPIRE', key, keep)
end

local function hear(name, first, last)
  local listeners = begin .. 'day:' .. today .. ':' .. name
  if last < first or redis.call('PFCOUNT', listeners) >= enough then return end
  redis.call('PFADD', listeners, unpack(ARGV, first, last))
  redis.call('EXPIRE', listeners, keep)
  if redis.call('ZSCORE', known, name) then return end
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

local function accept(name, token)
  local asked = nil
  for n = 2, 1, -1 do
    if redis.call('ZSCORE', begin .. 'asked:' .. days[n], name) then asked = days[n] end
  end
  local result = 1
  if not asked then result = 3
  elseif redis.call('SISMEMBER', KEYS[3], token) == 1 or redis.call('SISMEMBER', KEYS[4], token) == 1 then result = 2
  elseif redis.call('SCARD', KEYS[3]) >= """
    + str(MOST_EVENTS)
    + """ then result = 4
  else redis.call('SADD', KEYS[3], token) end
  outcome[result] = outcome[result] + 1
  return result == 1 and asked
end

while at <= #ARGV do
  local name, whole, token, popular = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local listener, first = at + 5, at + 6 + tonumber(ARGV[at + 4])
  local last = first - 1 + 2 * tonumber(ARGV[first - 1])
  local day = today
  if token ~= '' then day = accept(name, token) end
  if day then
    add(day, whole, first, last)
    redis.call('SADD', fresh, day .. ':' .. whole)
    if name ~= '' then
      add(day, name, first, last)
      if token == '' then
        redis.call('ZINCRBY', begin .. 'asked:' .. day, ARGV[first + 1], name)
        if popular == '1' and redis.call('SCARD', KEYS[2]) < room then
          redis.call('ZINCRBY', begin .. 'day:' .. day, redis.call('SADD', KEYS[2], name), name)
        end
        hear(name, listener, first - 2)
      end
      if redis.call('ZSCORE', known, name) then redis.call('SADD', fresh, day .. ':' .. name) end
    end
  end
  at = last + 1
end

local function without_rarest(queries)
  local last = redis.call('ZCARD', queries) - math.floor(room * 3 / 4) - 1
  if redis.call('ZCARD', queries) <= room then return {} end
  local rarest = redis.call('ZRANGE', queries, 0, last)
  redis.call('ZREMRANGEBYRANK', queries, 0, last)
  return rarest
end

for _, name in ipairs(without_rarest(begin .. 'asked:' .. today)) do
  redis.call('DEL', begin .. 'day:' .. today .. ':' .. name, begin .. 'count:' .. today .. ':' .. name)
end
without_rarest(begin .. 'day:' .. today)
redis.call('ZREMRANGEBYRANK', known, 0, -2 * room - 1)
for _, name in ipairs({'asked:' .. today, 'day:' .. today, 'fresh', 'known'}) do
  redis.call('EXPIRE', begin .. name, keep)
end
redis.call('EXPIRE', KEYS[2], brief)
redis.call('EXPIRE', KEYS[3], 7200)
return outcome
"""
)
