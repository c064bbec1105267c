#!lua
-- Adds to grids and counters what the store was not given, to each of them once.
-- KEYS: the set of names that were added to, then names. ARGV: for each the command that adds, the
-- time in ms that the name is kept until, and what to add.
-- Gives how many were added to now.
local added = 0
for i = 2, #KEYS do
  local name, at = KEYS[i], 3 * (i - 2)
  if redis.call('SADD', KEYS[1], name) == 1 then
    redis.call(ARGV[at + 1], name, ARGV[at + 3])
    if redis.call('PTTL', name) == -1 then
      redis.call('PEXPIREAT', name, ARGV[at + 2])
    end
    added = added + 1
  end
end
return added
