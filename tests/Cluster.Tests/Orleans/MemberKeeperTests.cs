using Signpost.Silo.Orleans;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Orleans;

/// <summary>What Orleans keeps in Redis outlives what Redis forgets.</summary>
public sealed class MemberKeeperTests : IDisposable
{
    private const string Key = "members";

    private readonly Lazy<RedisServer> _redis = new(() => new RedisServer());

    public void Dispose()
    {
        if (_redis.IsValueCreated)
        {
            _redis.Value.Dispose();
        }
    }

    [RedisFact]
    public async Task Members_that_Redis_has_lost_come_back_under_a_higher_version_beside_those_that_came_since()
    {
        _redis.Value.Call("HSET", Key, "Version", 7, "a", "is here", "b", "too");
        using var keeper = new MemberKeeper(_redis.Value.Options, Key, _ => { });
        await UntilKnownAsync(7);

        _redis.Value.Call("DEL", Key);
        _redis.Value.Call("HSET", Key, "Version", 2, "c", "is new");

        Assert.Equal("8", await UntilAsync("Version", "8"));
        Assert.Equal(("is here", "too", "is new"), (Field("a"), Field("b"), Field("c")));
    }

    [RedisFact]
    public async Task What_changes_in_order_is_left_alone()
    {
        _redis.Value.Call("HSET", Key, "Version", 7, "a", "is here", "b", "too");
        using var keeper = new MemberKeeper(_redis.Value.Options, Key, _ => { });
        await UntilKnownAsync(7);

        _redis.Value.Call("HDEL", Key, "b");
        _redis.Value.Call("HSET", Key, "Version", 8);
        await UntilKnownAsync(8);

        Assert.Equal(("8", null), (Field("Version"), Field("b")));
    }

    private string? Field(string name) => _redis.Value.Call("HGET", Key, name).Text;

    private Task<string?> UntilAsync(string field, string value) => Wait.Until(() => new ValueTask<string?>(Field(field)), found => found == value);

    /// <summary>Waits until the keeper has looked once more: it asks for the whole hash each time.</summary>
    private async Task UntilKnownAsync(int version)
    {
        Assert.Equal($"{version}", Field("Version"));
        long before = Looks();
        await Wait.Until(() => new ValueTask<long>(Looks()), looks => looks >= before + 2);
    }

    private long Looks()
    {
        string stats = _redis.Value.Call("INFO", "commandstats").Text!;
        int at = stats.IndexOf("cmdstat_hgetall:calls=", StringComparison.Ordinal);
        return at < 0 ? 0 : long.Parse(stats[(at + 22)..stats.IndexOf(',', at)], System.Globalization.CultureInfo.InvariantCulture);
    }
}
