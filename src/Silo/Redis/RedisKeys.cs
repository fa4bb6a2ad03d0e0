namespace Signpost.Silo.Redis;

/// <summary>The keys of one cluster, and its scripts run on them. Clusters with different names share a Redis without meeting.</summary>
internal sealed class RedisKeys
{
    private readonly string _prefix;
    private readonly string _clock;
    private readonly Argument[] _keys;

    /// <summary>Keys that begin with <c>signpost:{cluster}:</c>; <paramref name="clock"/> is the script that reads the time.</summary>
    public RedisKeys(string cluster, string clock)
    {
        _clock = clock;
        _prefix = $"signpost:{{{cluster}}}:"; // the braces put all of them in one slot of a Redis cluster
        _keys = [.. new[] { "leases", "ends", "notes", "epoch", "versions", "maps" }.Select(name => (Argument)(_prefix + name))];
    }

    /// <summary>Where it is told which collection has a new map.</summary>
    public string Channel => _prefix + "changed";

    /// <summary>Holds a text that is the cluster's own.</summary>
    public string Identity => _prefix + "identity";

    /// <summary>Marks of all maps.</summary>
    public string Versions => _prefix + "versions";

    /// <summary>Runs one of <see cref="RedisScripts"/>.</summary>
    public Reply Run(RedisLink link, string script, params ReadOnlySpan<Argument> arguments) =>
        link.Call(["EVAL", _clock + script, _keys.Length, .. _keys, .. arguments]);
}
