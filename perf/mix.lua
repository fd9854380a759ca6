-- The mission's mix: 60 % search, 30 % browse, 10 % single programs.
local words = {}
-- Many queries come in a file.
local listed = os.getenv("MIX_QUERIES")
for word in (listed and io.open(listed):read("a") or os.getenv("MIX_WORDS")):gmatch("%S+") do words[#words + 1] = word end
local ids = {}
for id in io.open(os.getenv("MIX_IDS")):read("a"):gmatch("%d+") do ids[#ids + 1] = id end
math.randomseed(os.getenv("MIX_SEED") or 7)

-- Positions drawn as often as 1/(k+1): popular things are asked for most.
local function zipf(n) return math.floor(n ^ math.random()) end

function request()
  local page = os.getenv("MIX_PAGE")
  if page then return wrk.format("GET", page, { ["Accept-Encoding"] = os.getenv("MIX_ENCODING") or "gzip" }) end
  local kind = math.random()
  if kind < 0.6 then
    return wrk.format("GET", "/discovery/search?q=" .. words[zipf(#words)])
  elseif kind < 0.9 then
    return wrk.format("GET", "/discovery/browse?categoryId=" .. math.random(1, 12))
  end
  return wrk.format("GET", "/discovery/programs/" .. ids[zipf(#ids)])
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), summary.bytes))
end
