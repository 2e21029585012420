-- Puts new members in force from the next turn on. Next stays next; if they left, the member after them is next.
--
-- KEYS[1]   ring      hash: epoch, version, next, cursor, slots
-- KEYS[2]   members   list of user ids in ring order
-- KEYS[3]   returned  list of spans "FIRST:COUNT", lowest first
-- ARGV[1]   epoch that the ring must be at, for example 9f3c
-- ARGV[2]   version of the roster that the ring must be at, for example 2; the new one is the next
-- ARGV[3..] the new members' user ids in order, for example 11 12 15; none empties the ring
-- RETURN    {first turn, first slot, spans that wait in returned}, for example {17, 2, 0}
-- ERRORS    UNSEEDED  the ring has no state
--           STALE     the ring is at another epoch or version
local ring, members, returned = KEYS[1], KEYS[2], KEYS[3]
local wanted_epoch, wanted_version, first_member = ARGV[1], ARGV[2], 3

local state = redis.call('HMGET', ring, 'epoch', 'version', 'next', 'cursor', 'slots')
local epoch, version = state[1], state[2]
if not epoch then
  return redis.error_reply('UNSEEDED the ring has no state')
end
if epoch ~= wanted_epoch or version ~= wanted_version then
  return redis.error_reply('STALE the ring is at another epoch or version')
end
local next_turn, cursor, old_slots = tonumber(state[3]), tonumber(state[4]), tonumber(state[5])

local new_slot = {}
for at = first_member, #ARGV do
  new_slot[ARGV[at]] = at - first_member
end

local function slot_of_next()
  local old = redis.call('LRANGE', members, 0, -1)
  for step = 0, old_slots - 1 do
    local slot = new_slot[old[(cursor + step) % old_slots + 1]]
    if slot then
      return slot
    end
  end
  return 0
end

local first_slot = slot_of_next()
redis.call('DEL', members)
for at = first_member, #ARGV do
  redis.call('RPUSH', members, ARGV[at])
end
local slots = #ARGV - first_member + 1
redis.call('HSET', ring, 'version', string.format('%.0f', tonumber(version) + 1), 'cursor', first_slot, 'slots', slots)
return {next_turn, first_slot, redis.call('LLEN', returned)}
