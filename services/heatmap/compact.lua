#!lua flags=allow-oom
-- Puts a merged tally in the place of the long one that it was made from; appends do that no more.
-- It may run when memory is full, because it makes room.
--
-- KEYS   the partition: HASH of next and epoch; the tally
-- ARGV   epoch, SHA-1 of what was merged, the merged tally
-- Gives  FENCED | CHANGED | MERGED

if tonumber(ARGV[1]) < tonumber(redis.call('HGET', KEYS[1], 'epoch') or 0) then
  return 'FENCED'
end
local packed = redis.call('GET', KEYS[2])
if not packed or redis.sha1hex(packed) ~= ARGV[2] then
  return 'CHANGED'
end
redis.call('SET', KEYS[2], ARGV[3], 'KEEPTTL')
return 'MERGED'
