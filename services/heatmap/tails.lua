-- What tallies got beyond known lengths: the life of this server, then the position and the news of
-- each tally that has any; `false` for one that is shorter than it was known to be.
-- ARGV[1]: msgpack of a list: the name of a tally, its known length in bytes, and so on.
local asked = cmsgpack.unpack(ARGV[1])
local found = {string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')}
for i = 1, #asked, 2 do
  local known = asked[i + 1]
  -- One byte before the end of what is known shows whether the tally is still that long.
  local news = redis.call('GETRANGE', asked[i], math.max(0, known - 1), -1)
  if known > 0 and #news == 0 then
    found[#found + 1] = (i - 1) / 2
    found[#found + 1] = false
  elseif #news > (known > 0 and 1 or 0) then
    found[#found + 1] = (i - 1) / 2
    found[#found + 1] = known > 0 and string.sub(news, 2) or news
  end
end
return found
