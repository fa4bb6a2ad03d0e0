namespace Signpost.Silo.Redis;

/// <summary>
/// The scripts that Redis runs, each in one step. Needs Redis 5 or later: they read its clock and then write.
/// </summary>
/// <remarks>
/// Keys, all in one slot of the cluster's name:
/// <code>
/// 1 leases    hash of role      -> "epoch duration holder"; the last two say how long it was granted for, and to whom
/// 2 ends      sorted set of role by its end
/// 3 notes     hash of role      -> note
/// 4 epoch     the highest epoch ever given, of all roles
/// 5 versions  hash of collection -> its MapMark
/// 6 maps      hash of collection -> bytes of the map
/// </code>
/// Times are microseconds. Numbers stay below 2^53, so Lua's doubles hold them exactly; they travel as text.
/// </remarks>
internal static class RedisScripts
{
    /// <summary>Sets <c>now</c> by Redis' own clock.</summary>
    public const string Clock = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]

        """;

    /// <summary>Role, holder, duration, highest epoch seen of the role, highest seen of all -> {1, new epoch} or {0, epoch of the one that holds}.</summary>
    /// <remarks>
    /// A valid lease whose epoch is below one that was seen is a ghost: Redis has come back with older data. The new epoch is above the
    /// last one that Redis knows, above what the asker has seen, and at least the time in microseconds: one of these is enough for it to be
    /// new, and the last needs nobody's memory.
    /// </remarks>
    public const string Acquire = Held + """
        for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', whole(now), 'LIMIT', 0, 100)) do
          forget(gone)
        end

        local epoch = held(ARGV[1])
        if epoch and tonumber(epoch) >= tonumber(ARGV[4]) then
          return {0, epoch}
        end

        epoch = whole(math.max(now, tonumber(redis.call('GET', KEYS[4]) or 0) + 1, ARGV[5] + 1))
        redis.call('SET', KEYS[4], epoch)
        redis.call('HDEL', KEYS[3], ARGV[1])
        grant(ARGV[1], epoch, ARGV[2], ARGV[3])
        return {1, epoch}
        """;

    /// <summary>Role, holder, epoch, duration -> whether it was valid.</summary>
    public const string Renew = Held + """
        if not holds(ARGV[1], ARGV[2], ARGV[3]) then
          return 0
        end

        grant(ARGV[1], ARGV[3], ARGV[2], ARGV[4])
        return 1
        """;

    /// <summary>Role, holder, epoch, note -> whether it was valid.</summary>
    public const string Note = Held + """
        if not holds(ARGV[1], ARGV[2], ARGV[3]) then
          return 0
        end

        redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
        return 1
        """;

    /// <summary>Role, holder, epoch -> whether it was valid.</summary>
    public const string Release = Held + """
        if not holds(ARGV[1], ARGV[2], ARGV[3]) then
          return 0
        end

        forget(ARGV[1])
        return 1
        """;

    /// <summary>Prefix of roles -> role, holder, epoch, note of each valid lease, one after the other.</summary>
    public const string List = Held + """
        local found = {}
        for _, role in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. whole(now), '+inf')) do
          if string.sub(role, 1, #ARGV[1]) == ARGV[1] then
            local epoch, holder = held(role)
            if epoch then
              found[#found + 1] = {role, holder, epoch, redis.call('HGET', KEYS[3], role)}
            end
          end
        end

        return found
        """;

    /// <summary>Collection, mark that the caller knows or '' -> nil where there is no map; {mark} of the known one; else {mark, bytes}.</summary>
    public const string Read = """
        local mark = redis.call('HGET', KEYS[5], ARGV[1])
        if not mark then
          return false
        end

        if mark == ARGV[2] then
          return {mark}
        end

        return {mark, redis.call('HGET', KEYS[6], ARGV[1])}
        """;

    /// <summary>Channel, collection, mark that is there or '', next mark, bytes, [role, holder, epoch of the leader] -> whether it was written.</summary>
    public const string Write = Held + """
        if (redis.call('HGET', KEYS[5], ARGV[2]) or '') ~= ARGV[3] or (ARGV[6] and not holds(ARGV[6], ARGV[7], ARGV[8])) then
          return 0
        end

        redis.call('HSET', KEYS[5], ARGV[2], ARGV[4])
        redis.call('HSET', KEYS[6], ARGV[2], ARGV[5])
        redis.call('PUBLISH', ARGV[1], ARGV[2])
        return 1
        """;

    // A lease that has clearly more time left than it was granted for has ended: the clock of Redis was set back, and nobody knows how far.
    // The second of grace is for the steps in which clocks are set right.
    private const string Held = """
        local function whole(number)
          return string.format('%.0f', number)
        end

        local function forget(role)
          redis.call('HDEL', KEYS[1], role)
          redis.call('ZREM', KEYS[2], role)
          redis.call('HDEL', KEYS[3], role)
        end

        local function held(role)
          local epoch, duration, holder = string.match(redis.call('HGET', KEYS[1], role) or '', '^(%d+) (%d+) (.*)$')
          local left = tonumber(redis.call('ZSCORE', KEYS[2], role) or 0) - now
          if epoch and left > duration + 1000000 then
            forget(role)
          elseif epoch and left > 0 then
            return epoch, holder
          end
        end

        local function holds(role, holder, epoch)
          local present, by = held(role)
          return present == epoch and by == holder
        end

        local function grant(role, epoch, holder, duration)
          redis.call('HSET', KEYS[1], role, epoch .. ' ' .. duration .. ' ' .. holder)
          redis.call('ZADD', KEYS[2], whole(now + duration), role)
        end

        """;
}
