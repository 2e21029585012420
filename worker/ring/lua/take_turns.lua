-- Hands out turns: to each claim its earlier answer if it has one, else returned turns first, then a contiguous block from the ring.
-- The cost doesn't depend on how many turns a claim asks for.
--
-- KEYS[1]   ring      hash: epoch, version, next, cursor, slots
-- KEYS[2]   returned  list of spans "FIRST:COUNT", lowest first
-- KEYS[3..] claim:*   one for each claim, in order
-- ARGV[1]   seconds that an answer is kept, for example 86400
-- ARGV[2..] turns that each claim asks for, in the order of its key, for example 1
-- RETURN    {epoch, version, spans of the first claim, spans of the second, ...}, for example {"9f3c", "2", "4:1 17:999"}
-- ERRORS    UNSEEDED  the ring has no state; it never starts again at turn 1 by itself
--           EMPTY     the roster has no members
local ring, returned = KEYS[1], KEYS[2]
local first_claim, first_count = 3, 2
local keep_seconds = ARGV[1]

local state = redis.call('HMGET', ring, 'epoch', 'version', 'next', 'cursor', 'slots')
local epoch, version = state[1], state[2]
if not epoch then
  return redis.error_reply('UNSEEDED the ring has no state')
end
local next_turn, cursor, slots = tonumber(state[3]), tonumber(state[4]), tonumber(state[5])
if slots == 0 then
  return redis.error_reply('EMPTY the roster has no members')
end

local function span(first, count)
  return string.format('%.0f:%.0f', first, count)
end

local function take_returned(wanted, spans)
  while wanted > 0 do
    local lowest = redis.call('LPOP', returned)
    if not lowest then
      break
    end
    local first, count = string.match(lowest, '^(%d+):(%d+)$')
    first, count = tonumber(first), tonumber(count)
    local taken = math.min(wanted, count)
    if taken < count then
      redis.call('LPUSH', returned, span(first + taken, count - taken))
    end
    spans[#spans + 1] = span(first, taken)
    wanted = wanted - taken
  end
  return wanted
end

local function take(wanted)
  local spans = {}
  local fresh = take_returned(wanted, spans)
  if fresh > 0 then
    spans[#spans + 1] = span(next_turn, fresh)
    next_turn = next_turn + fresh
    cursor = (cursor + fresh) % slots
  end
  return table.concat(spans, ' ')
end

local answer = {epoch, version}
for at = first_claim, #KEYS do
  local claim = KEYS[at]
  local known_epoch, spans = string.match(redis.call('GET', claim) or '', '^(%S+) (.*)$')
  if known_epoch ~= epoch then
    spans = take(tonumber(ARGV[at - first_claim + first_count]))
    redis.call('SET', claim, epoch .. ' ' .. spans, 'EX', keep_seconds)
  end
  answer[#answer + 1] = spans
end
redis.call('HSET', ring, 'next', string.format('%.0f', next_turn), 'cursor', string.format('%.0f', cursor))
return answer
