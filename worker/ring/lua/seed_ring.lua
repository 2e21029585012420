-- Writes the whole ring under a new epoch, if nobody else has written it since the caller looked.
--
-- KEYS[1]   ring      hash: epoch, version, next, cursor, slots
-- KEYS[2]   members   list of user ids in ring order
-- KEYS[3]   returned  list of spans "FIRST:COUNT", lowest first
-- ARGV[1]   epoch that the ring bore when the caller looked, or '' for none
-- ARGV[2]   new epoch, for example 9f3c
-- ARGV[3]   version of the roster, for example 2
-- ARGV[4]   next turn, for example 18
-- ARGV[5]   cursor: the slot of the next turn, from 0
-- ARGV[6]   number of members
-- ARGV[7..] the members' user ids in order, then the returned spans, lowest first
-- RETURN    "OK"
-- ERRORS    STALE     the ring bears another epoch by now
local ring, members, returned = KEYS[1], KEYS[2], KEYS[3]
local seen_epoch, epoch, version, next_turn, cursor, slots = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local first_member = 7

local bears = redis.call('HGET', ring, 'epoch') or ''
if bears == epoch then
  return 'OK'
end
if bears ~= seen_epoch then
  return redis.error_reply('STALE the ring bears another epoch by now')
end

redis.call('DEL', ring, members, returned)
redis.call('HSET', ring, 'epoch', epoch, 'version', version, 'next', next_turn, 'cursor', cursor, 'slots', slots)
for at = first_member, #ARGV do
  redis.call('RPUSH', at < first_member + slots and members or returned, ARGV[at])
end
return 'OK'
