-- Moves the expiry of a session, and the estimate of it in the value, if the version is the expected one (G10).
--
-- KEYS[1]  the session
-- ARGV[1]  first bytes of the expected value: mark, format, version; the expiry field follows them
-- ARGV[2]  the new expiry field
-- ARGV[3]  time to live in ms
--
-- Answers 1 when moved, else the first bytes of what is there: empty when absent.

-- Numbers as text, as in update.lua.
local head = redis.pcall('GETRANGE', KEYS[1], '0', '11')
if head ~= ARGV[1] then
  return head
end

-- SETRANGE is the one that an exhausted memory refuses: it goes first, so that a refusal leaves everything as it was.
local patched = redis.pcall('SETRANGE', KEYS[1], '12', ARGV[2])
if type(patched) == 'table' then
  return patched
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
