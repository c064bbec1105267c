#!lua
-- Where a partition of the store begins; one without a position gets it behind the archive.
-- KEYS: the partition. ARGV: the offset at which its archive ends.
if redis.call('HEXISTS', KEYS[1], 'next') == 0 then
  redis.call('HSET', KEYS[1], 'next', ARGV[1], 'first', ARGV[1])
end
return tonumber(redis.call('HGET', KEYS[1], 'first') or 0)
