using Microsoft.Extensions.Logging.Abstractions;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Support;

/// <summary>The states of several silos of one cluster, ended together.</summary>
internal sealed class Silos : IDisposable
{
    private static int _clusters;

    private readonly RedisServer _server;
    private readonly string _cluster = $"test-{Interlocked.Increment(ref _clusters)}";
    private readonly List<RedisClusterState> _states = [];
    private readonly string _clock;

    private Silos(RedisServer server, bool isManual)
    {
        _server = server;
        _clock = isManual ? $"local now = 1790000000000000 + (redis.call('GET', '{Key("clock")}') or 0)\n" : RedisScripts.Clock;
    }

    /// <summary>Silos that go by the clock of Redis.</summary>
    public static Silos Of(RedisServer server) => new(server, isManual: false);

    /// <summary>Silos for whose scripts time passes in Redis only when the test says so.</summary>
    public static Silos WithManualClock(RedisServer server) => new(server, isManual: true);

    /// <summary>What a key of the cluster is called.</summary>
    public string Key(string name) => $"signpost:{{{_cluster}}}:{name}";

    /// <summary>One more.</summary>
    public RedisClusterState Add() => Add(_server.Options);

    /// <summary>One more, which goes another way to Redis.</summary>
    public RedisClusterState Add(RedisOptions options)
    {
        var state = new RedisClusterState(options, _cluster, NullLogger.Instance, _clock);
        _states.Add(state);
        return state;
    }

    /// <summary>Sets the manual clock forward, or back where <paramref name="time"/> is below zero.</summary>
    public void Pass(TimeSpan time) => _server.Call("INCRBY", Key("clock"), (long)time.TotalMicroseconds);

    /// <summary>Removes keys of the cluster.</summary>
    public void Forget(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _server.Call("DEL", Key(name));
        }
    }

    public void Dispose() => Parallel.ForEach(_states, state => state.Dispose());
}
