-- A wrk script that POSTs one body to each path in turn, or GETs the paths, and prints the outcome as a line of JSON.
-- Arguments: a file with one path a line, a file with the body (empty to GET), the mean pause before a request of a connection in ms.

local requests, turn = {}, 0

function init(args)
  local file = io.open(args[2])
  local body = file:read('*a')
  file:close()
  local headers = { ['content-type'] = 'application/json' }
  for path in io.lines(args[1]) do
    requests[#requests + 1] = body == '' and wrk.format('GET', path) or wrk.format('POST', path, headers, body)
  end
  local pause = tonumber(args[3])
  -- A constant pause would keep all connections in step.
  if pause > 0 then delay = function() return math.random(0, 2 * pause) end end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "failed": %d, "seconds": %.6f, "medianMs": %.3f, "p99Ms": %.3f}\n',
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    summary.duration / 1e6,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3
  ))
end
