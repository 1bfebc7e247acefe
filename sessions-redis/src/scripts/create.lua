-- Stores a session under an absent id (G4), but only until a given moment: for sessions with an owner, whose entry in the
-- owner's index was made before. Sessions without an owner need no script, only SET NX PX.
--
-- KEYS[1]  the session
-- ARGV[1]  the value
-- ARGV[2]  time to live in ms
-- ARGV[3]  last moment at which this may be written, in ms of the server's clock
--
-- Answers 1 when stored, -1 when too late, else the value that is there.

local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[3]) then
  return -1
end

local stored = redis.pcall('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
if stored then
  if stored.err then
    return stored
  end
  return 1
end
return redis.pcall('GET', KEYS[1])
