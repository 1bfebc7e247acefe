-- Replaces a session if its version is the expected one (G5), else says what is there (G6, G8).
--
-- KEYS[1]  the session
-- ARGV[1]  first bytes of the expected value: mark, format, version
-- ARGV[2]  first bytes of the new value
-- ARGV[3]  expiry field of the new value; empty to keep the current one
-- ARGV[4]  the rest of the new value: checksum, owner, record
-- ARGV[5]  time to live in ms; empty to keep the current one
-- ARGV[6]  last moment at which this may be written, in ms of the server's clock; empty for no such limit
--
-- Answers 1 when written, nil when absent, -1 when too late, else the value that is there.
-- The write is the last thing that happens, so that an error means that nothing was written.

-- Only the first bytes and the expiry that follows them: a script pays for every byte that it takes in.
local current = redis.pcall('GETRANGE', KEYS[1], 0, #ARGV[1] + 7)
if type(current) ~= 'string' then
  return current
end
if string.sub(current, 1, #ARGV[1]) ~= ARGV[1] then
  return redis.pcall('GET', KEYS[1])
end
if ARGV[6] ~= '' then
  local time = redis.call('TIME')
  if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[6]) then
    return -1
  end
end

local expiry = ARGV[3]
if expiry == '' then
  expiry = string.sub(current, #ARGV[1] + 1)
end
local value = ARGV[2] .. expiry .. ARGV[4]

local written
if ARGV[5] == '' then
  written = redis.pcall('SET', KEYS[1], value, 'KEEPTTL')
else
  written = redis.pcall('SET', KEYS[1], value, 'PX', ARGV[5])
end
if written.err then
  return written
end
return 1
