using System.Globalization;
using Signpost.Silo.Cluster;
using Signpost.Silo.Redis;

namespace Signpost.Silo.Orleans;

/// <summary>
/// Puts the members of Orleans back when Redis comes back without them. Orleans itself never does: its silos would go on, and a new one, which
/// finds nobody, would begin a cluster of its own (dotnet/orleans#7784).
/// </summary>
/// <remarks>
/// Orleans keeps members in one hash, with a version that rises with every change. Each silo remembers the newest that it has seen; where
/// the version in Redis is below it, the members that are remembered are written under a version above both, in one step. Silos that have
/// joined in between stay. One whose join nobody had seen yet finds itself missing, and ends to be started again (<see cref="Evicted"/>).
/// </remarks>
internal sealed class MemberKeeper : IDisposable
{
    private const string Version = "Version";

    private const string Restore = """
        if tonumber(redis.call('HGET', KEYS[1], 'Version') or '-1') < tonumber(ARGV[1]) then
          return redis.call('HSET', KEYS[1], unpack(ARGV, 2))
        end
        return 0
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly RedisOptions _redis;
    private readonly string _key;
    private readonly Action<string> _say;
    private readonly RedisLink _link;
    private readonly Repeated _thread;
    private Dictionary<string, string> _known = new(StringComparer.Ordinal);
    private long _version;

    /// <param name="redis">Where Redis is.</param>
    /// <param name="key">Of the members.</param>
    /// <param name="say">Takes a line for the operator.</param>
    public MemberKeeper(RedisOptions redis, string key, Action<string> say)
    {
        (_redis, _key, _say, _link) = (redis, key, say, new RedisLink(redis));
        _thread = new Repeated("members of Orleans", Interval, Look, say);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _thread.Dispose();
        _link.Dispose();
    }

    private ValueTask Look(CancellationToken cancel)
    {
        _link.Deadline = Deadline.After(_redis.Timeout);
        Reply[] all = _link.Call("HGETALL", _key).Items ?? [];
        Dictionary<string, string> found = all.Chunk(2).ToDictionary(pair => pair[0].Text!, pair => pair[1].Text!, StringComparer.Ordinal);
        long version = found.TryGetValue(Version, out string? text) ? long.Parse(text, CultureInfo.InvariantCulture) : -1;
        if (version >= _version)
        {
            (_known, _version) = (found, version);
            return ValueTask.CompletedTask;
        }

        _known[Version] = (_version + 1).ToString(CultureInfo.InvariantCulture);
        Argument[] rows = [.. _known.SelectMany(row => new Argument[] { row.Key, row.Value })];
        _link.Call(["EVAL", Restore, 1, _key, _version, .. rows]);
        _say($"Redis had lost the members of Orleans (version {version}): they are back under version {_version + 1}");
        return ValueTask.CompletedTask;
    }
}
