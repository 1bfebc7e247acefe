-- Reads an owner's index together with the moment at which it was read (G15).
--
-- KEYS[1]  the owner's index
--
-- Answers this moment in ms of the server's clock, then id, score, id, score, ...

local time = redis.call('TIME')
local answer = redis.pcall('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
if answer.err then
  return answer
end
table.insert(answer, 1, time[1] * 1000 + math.floor(time[2] / 1000))
return answer
