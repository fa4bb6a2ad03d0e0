using System.Diagnostics;
using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Silo;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Silos as real processes over a real Redis, serving the collections of a folder.</summary>
internal sealed class SiloCluster : IDisposable
{
    public const int Kill = 9; // SIGKILL
    public const int Freeze = 19; // SIGSTOP
    public const int Thaw = 18; // SIGCONT

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(90);

    private readonly string _store;
    private readonly Func<string, string> _redisOf;
    private readonly int _graceSeconds;
    private readonly string _listen;
    private readonly string _runtime;
    private readonly Func<string, string[]> _more;
    private readonly Func<SignpostClientOptions> _options;
    private readonly int _leaseMs;
    private readonly Dictionary<string, SignpostProcess> _silos = [];
    private readonly Dictionary<string, string> _urls = [];

    /// <param name="silos">How many to start.</param>
    /// <param name="store">Where the collections are.</param>
    /// <param name="redis">Where Redis answers.</param>
    /// <param name="more">More words for the silo of a name.</param>
    /// <param name="listen">Address that silos listen on.</param>
    /// <param name="options">What a client needs to be let in by silos with TLS; null: they have none.</param>
    /// <param name="leaseMs">How long a silo that says nothing is taken for alive.</param>
    /// <param name="runtime">How they ask each other.</param>
    /// <param name="redisOf">Where the silo of a name finds Redis; null: all at the one place.</param>
    /// <param name="graceSeconds">How long a silo that is gone is awaited.</param>
    public SiloCluster(
        int silos, string store, string redis, Func<string, string[]>? more = null, string listen = "127.0.0.1", Func<SignpostClientOptions>? options = null,
        int leaseMs = 2000, string runtime = "redis", Func<string, string>? redisOf = null, int graceSeconds = 5)
    {
        (_redisOf, _graceSeconds) = (redisOf ?? (_ => redis), graceSeconds);
        (_store, _more, _leaseMs, _runtime) = (store, more ?? (_ => []), leaseMs, runtime);
        (_options, _listen) = (options ?? (() => new SignpostClientOptions()), $"{(options is null ? "http" : "https")}://{listen}:0");
        for (int i = 1; i <= silos; i++)
        {
            Launch($"silo-{i}");
        }

        foreach (string name in _silos.Keys.ToArray())
        {
            _urls[name] = UrlOf(name);
        }

        SignpostClientOptions known = _options();
        (known.Addresses, known.Rest) = ([.. _urls.Values], TimeSpan.FromSeconds(1));
        Client = new SignpostClient(known);
    }

    /// <summary>Knows all silos.</summary>
    public SignpostClient Client { get; }

    /// <summary>Its name.</summary>
    public string Name { get; } = $"test-{Guid.NewGuid():N}";

    public IEnumerable<string> Names => _silos.Keys;

    public string Url(string name) => _urls[name];

    public string ErrorOf(string name) => _silos[name].Error;

    /// <summary>Starts one more silo.</summary>
    public void Join(string name)
    {
        Launch(name);
        _urls[name] = UrlOf(name);
    }

    /// <summary>Starts one more silo, which need not come to serve.</summary>
    public void Knock(string name) => Launch(name);

    /// <summary>Waits until a silo has ended by itself.</summary>
    public Run EndOf(string name) => _silos[name].End();

    /// <summary>Starts a silo anew, on the port that it had.</summary>
    public void Start(string name)
    {
        Launch(name, _urls[name]);
        _urls[name] = UrlOf(name);
    }

    public void Signal(string name, int signal) => _silos[name].Signal(signal);

    /// <summary>Ends a silo in order and waits for it.</summary>
    public Run Stop(string name)
    {
        _silos[name].Signal(SignpostProcess.Terminate);
        return End(name);
    }

    /// <summary>Waits until a silo has ended.</summary>
    public Run End(string name) => _silos[name].End();

    /// <summary>What a silo says of the cluster.</summary>
    public async Task<ClusterInfo> AskAsync(string name)
    {
        SignpostClientOptions options = _options();
        (options.Addresses, options.Retries, options.SiloTimeout, options.Timeout) = ([_urls[name]], 0, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var client = new SignpostClient(options);
        return await client.GetClusterAsync();
    }

    /// <summary>Waits until a silo says that <paramref name="holds"/>; fails when that takes too long.</summary>
    public async Task<TimeSpan> UntilAsync(string name, Func<ClusterInfo, bool> holds, string what)
    {
        long start = Stopwatch.GetTimestamp();
        ClusterInfo? last = null;
        while (Stopwatch.GetElapsedTime(start) < Longest)
        {
            Supervise();
            try
            {
                last = await AskAsync(name);
                if (holds(last))
                {
                    return Stopwatch.GetElapsedTime(start);
                }
            }
            catch (SignpostException)
            {
                // It starts, or is busy.
            }

            await Task.Delay(100);
        }

        Assert.Fail($"{what}: not within {Longest}. {Words(last)}\n{string.Join('\n', _silos.Select(s => $"{s.Key}: {s.Value.Error}"))}");
        return default;
    }

    /// <summary>Waits until every shard has <paramref name="copies"/> that serve, none of them in one of <paramref name="without"/>.</summary>
    public Task<TimeSpan> UntilWholeAsync(string asked, int copies = 2, params string[] without) => UntilAsync(
        asked,
        cluster => cluster.Collections.Length > 0 && cluster.Collections.All(c => c.Shards.All(shard =>
            shard.Replicas.Count(r => r.State == "serving") >= copies && !shard.Replicas.Any(r => without.Contains(r.Silo)))),
        $"{copies} copies of every shard");

    public void Dispose()
    {
        Client.Dispose();
        foreach (SignpostProcess silo in _silos.Values)
        {
            silo.Dispose();
        }
    }

    /// <summary>What a supervisor does: a silo that says by its exit code that others took it for dead is started again.</summary>
    private void Supervise()
    {
        foreach (string name in _silos.Where(silo => silo.Value.ExitCode == ExitCodes.Evicted).Select(silo => silo.Key).ToArray())
        {
            Start(name);
        }
    }

    private void Launch(string name, string? url = null) => _silos[name] = SignpostProcess.Start(
        AppContext.BaseDirectory,
        [
            "serve", "--runtime", _runtime, "--cluster", Name, "--silo", name, "--redis", _redisOf(name), "--store", _store, "--url", url ?? _listen,
            "--peer-url", _listen, "--lease-ms", $"{_leaseMs}", "--grace-seconds", $"{_graceSeconds}", "--threads", "2", "--quiet", .. _more(name),
        ]);

    private string UrlOf(string name) => _silos[name].FirstLine().Split(" at ")[1].Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);

    private static string Words(ClusterInfo? cluster) => cluster is null ? "nothing was answered" : string.Join(
        '\n', cluster.Collections.SelectMany(c => c.Shards.Select(s => $"{c.Name}/{s.Shard}: {string.Join(", ", s.Replicas.Select(r => $"{r.Silo} {r.State} {r.Reason}"))}")));
}
