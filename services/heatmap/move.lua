#!lua
-- Sets the position of a partition whose next records Kafka does not have any more.
--
-- KEYS[1]  the partition: HASH of next, epoch and first, the offset that this store began at
-- ARGV     epoch, next
-- Gives    FENCED | MOVED

if tonumber(ARGV[1]) < tonumber(redis.call('HGET', KEYS[1], 'epoch') or 0) then
  return 'FENCED'
end
redis.call('HSETNX', KEYS[1], 'first', ARGV[2])
redis.call('HSET', KEYS[1], 'next', ARGV[2], 'epoch', ARGV[1])
return 'MOVED'
