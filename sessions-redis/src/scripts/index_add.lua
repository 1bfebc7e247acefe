-- Enters a session in its owner's index, or enters it again, before the session is written (G15).
--
-- KEYS[1]  the owner's index: a sorted set of ids, scored by the moment of their last entry in ms of this server's clock
-- ARGV[1]  the session's id
-- ARGV[2]  how long the index must live from now, in ms; it never lives shorter for this
-- ARGV[3]  entries up to which no sample is taken
-- ARGV[4]  size of the sample
-- ARGV[5]  age in ms from which an entry may be in the sample
--
-- Answers the moment of the entry, and a sample of the index for its upkeep: id, score, id, score, ...

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local added = redis.pcall('ZADD', KEYS[1], now, ARGV[1])
if type(added) == 'table' then
  return added
end
local members = redis.call('ZCARD', KEYS[1])
-- The first member makes the set, which has no time to live yet.
local is_new = added == 1 and members == 1
if is_new or redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end

local answer = { now }
if members > tonumber(ARGV[3]) then
  local sample = redis.call('ZRANDMEMBER', KEYS[1], ARGV[4], 'WITHSCORES')
  for i = 1, #sample, 2 do
    if tonumber(sample[i + 1]) < now - tonumber(ARGV[5]) then
      answer[#answer + 1] = sample[i]
      answer[#answer + 1] = sample[i + 1]
    end
  end
end
return answer
