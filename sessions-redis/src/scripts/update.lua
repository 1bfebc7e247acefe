-- Replaces a session if its version is the expected one (G5), else says what is there (G6, G8).
--
-- KEYS[1]  the session
-- ARGV[1]  first bytes of the expected value: mark, format, version
-- ARGV[2]  first bytes of the new value
-- ARGV[3]  the rest of the new value, after its expiry field: checksum, owner, record
-- ARGV[4]  expiry field of the new value; left out or empty to keep the current one
-- ARGV[5]  time to live in ms; left out or empty to keep the current one
-- ARGV[6]  last moment at which this may be written, in ms of the server's clock; left out where there is no such limit
--
-- Answers 1 when written, nil when absent, -1 when too late, else the value that is there.
-- The write is the last thing that happens, so that an error means that nothing was written.

-- Only the first bytes and the expiry that follows them: a script pays for every byte that it takes in. Numbers are spelled as
-- text, because a script would spell them with all digits that a fraction may have, each time.
local current = redis.pcall('GETRANGE', KEYS[1], '0', '19')
if type(current) ~= 'string' then
  return current
end
if string.sub(current, 1, #ARGV[1]) ~= ARGV[1] then
  return redis.pcall('GET', KEYS[1])
end
if ARGV[6] then
  local time = redis.call('TIME')
  if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[6]) then
    return -1
  end
end

local written
if not ARGV[4] or ARGV[4] == '' then
  local expiry = string.sub(current, #ARGV[1] + 1)
  written = redis.pcall('SET', KEYS[1], ARGV[2] .. expiry .. ARGV[3], 'KEEPTTL')
else
  written = redis.pcall('SET', KEYS[1], ARGV[2] .. ARGV[4] .. ARGV[3], 'PX', ARGV[5])
end
if written.err then
  return written
end
return 1
