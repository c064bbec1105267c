#!lua
-- Adds the batches of records first..next-1 of a partition to the grids, or changes nothing.
-- The partition's position and what its records count change together, so no record counts twice.
--
-- KEYS[1]  the partition: HASH of next, epoch and first, the offset that this store began at
-- ARGV     epoch, first, next, and a call and its tallies as services/heatmap/calls.py packs them
--          The tallies are one string; from and to are the bytes before and at the end of a part.
-- Gives    FENCED | REPLAYED | GAP next | DUPLICATE index... | APPLIED (key length)...

local epoch, first, following = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[1], 'next', 'epoch')
local stored = tonumber(held[1] or 0)

if epoch < tonumber(held[2] or 0) then
  return {'FENCED'}
elseif stored >= following then
  return {'REPLAYED'}
elseif stored ~= first then
  return {'GAP', stored}
end

local call = cmsgpack.unpack(ARGV[4])
local prefix = call.prefix

-- Bitmaps of a page view have a bit for each of its batches that was applied.

local function has(bitmap, n)
  local byte = string.byte(bitmap, math.floor(n / 8) + 1) or 0
  return bit.band(byte, bit.rshift(128, n % 8)) ~= 0
end

local function with(bitmap, n)
  local at = math.floor(n / 8)
  bitmap = bitmap .. string.rep('\0', at + 1 - #bitmap)
  local byte = bit.bor(string.byte(bitmap, at + 1), bit.rshift(128, n % 8))
  return string.sub(bitmap, 1, at) .. string.char(byte) .. string.sub(bitmap, at + 2)
end

local bitmaps, duplicates = {}, {}
if #call.seen > 0 then
  local found = redis.call('MGET', unpack(call.seen))
  for i, key in ipairs(call.seen) do
    local bitmap, n = bitmaps[key] or found[i] or '', call.numbers[i]
    if has(bitmap, n) then
      duplicates[#duplicates + 1] = i - 1
    else
      bitmaps[key] = with(bitmap, n)
    end
  end
end
if #duplicates > 0 then
  return {'DUPLICATE', unpack(duplicates)}
end

-- From here on all is known to be new, and is written.

local function index_hour(bucket, site, page)
  local pages, hour_ms = prefix .. ':pages:' .. site, bucket * 3600000
  redis.call('ZADD', pages, 'GT', hour_ms, page)
  redis.call('ZREMRANGEBYSCORE', pages, '-inf', hour_ms - call.keep_index_s * 1000)
end

local function index_day(site, page, kind)
  local subject = site .. '|' .. page
  redis.call('SADD', prefix .. ':variants:' .. subject, kind)
  redis.call('EXPIRE', prefix .. ':variants:' .. subject, call.keep_index_s)
  redis.call('EXPIRE', prefix .. ':elements:' .. subject, call.keep_index_s)
end

local function index(level, bucket, variant)
  local site, kind, page = string.match(variant, '^([^|]*)|([^|]*|[^|]*|[^|]*)|(.*)$')
  if level == '1h' then
    index_hour(bucket, site, page)
  elseif level == '1d' then
    index_day(site, page, kind)
  end
end

-- Both add to the end of a string that expires, and give its new length and whether it was not
-- there. Which costs one command less depends on what is usual.

local function add_to_new(key, part, expires_s)
  if redis.call('SET', key, part, 'NX', 'EXAT', expires_s) then
    return #part, true
  end
  return redis.call('APPEND', key, part), false
end

local function add_to_old(key, part, expires_s)
  local length = redis.call('APPEND', key, part)
  if length == #part then
    redis.call('EXPIREAT', key, expires_s)
  end
  return length, length == #part
end

local grown = {}
for _, level in ipairs(call.levels) do
  local begin, grids = prefix .. ':g:' .. level.name .. ':', level.grids
  local add = level.brief and add_to_new or add_to_old
  for i = 1, #grids, 4 do
    local variant, bucket = call.variants[grids[i] + 1], grids[i + 1]
    local key = begin .. bucket .. ':' .. variant
    local tally = string.sub(ARGV[5], grids[i + 2] + 1, grids[i + 3])
    local expires_s = math.floor((bucket * level.width_ms + level.keep_ms) / 1000)
    local length, is_new = add(key, tally, expires_s)
    if is_new then
      index(level.name, bucket, variant)
    elseif level.merges and length >= call.long and #grown < call.grown_max then
      grown[#grown + 1] = key
      grown[#grown + 1] = length
    end
  end
end

for key, bitmap in pairs(bitmaps) do
  redis.call('SET', key, bitmap, 'EX', call.keep_seen_s)
end

for key, selectors in pairs(call.elements) do
  local ids, new = {}, {}
  for id in pairs(selectors) do
    if #ids < call.elements_max then
      ids[#ids + 1] = id
    end
  end
  local known = redis.call('HMGET', key, unpack(ids))
  for i, id in ipairs(ids) do
    if not known[i] then
      new[#new + 1] = id
      new[#new + 1] = selectors[id]
    end
  end
  if #new > 0 and redis.call('HLEN', key) + #new / 2 <= call.elements_max then
    redis.call('HSET', key, unpack(new))
    redis.call('EXPIRE', key, call.keep_index_s)
  end
end

for i = 1, #call.present, 3 do
  local key = call.present[i]
  local words = string.sub(ARGV[5], call.present[i + 1] + 1, call.present[i + 2])
  add_to_new(key, words, call.present_until_s)
end

for key, count in pairs(call.late) do
  redis.call('INCRBY', key, count)
  redis.call('EXPIRE', key, call.keep_index_s)
end

redis.call('HSETNX', KEYS[1], 'first', first)
redis.call('HSET', KEYS[1], 'next', following, 'epoch', epoch)
return {'APPLIED', unpack(grown)}
