-- Removes entries from an owner's index, unless they were entered again since they were read (G15).
--
-- KEYS[1]  the owner's index
-- ARGV     id, the score that was read, id, score, ...
--
-- Answers how many were removed.

local removed = 0
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    removed = removed + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return removed
