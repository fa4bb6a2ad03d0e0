using System.Collections.Concurrent;
using System.Diagnostics;
using Signpost.Client;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Queries at a steady rate, whatever becomes of them.</summary>
internal sealed class SteadyQueries : IAsyncDisposable
{
    private readonly SignpostClient _client;
    private readonly string _collection;
    private readonly float[][] _vectors;
    private readonly SearchOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<string> _failures = [];
    private readonly ConcurrentDictionary<string, byte>[] _answers;
    private readonly Task _run;
    private int _count;
    private int _partial;

    /// <param name="client">Asks.</param>
    /// <param name="collection">What is searched.</param>
    /// <param name="vectors">Asked in turn.</param>
    /// <param name="perSecond">How many begin in a second.</param>
    /// <param name="options">How to search.</param>
    public SteadyQueries(SignpostClient client, string collection, float[][] vectors, int perSecond, SearchOptions options)
    {
        (_client, _collection, _vectors, _options) = (client, collection, vectors, options);
        _answers = [.. vectors.Select(_ => new ConcurrentDictionary<string, byte>())];
        _run = RunAsync(TimeSpan.FromSeconds(1.0 / perSecond));
    }

    /// <summary>Queries that have ended.</summary>
    public int Count => _count;

    /// <summary>Those of them that not every shard had part in.</summary>
    public int Partial => _partial;

    /// <summary>Those of them that ended without an answer.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>The different full answers that each vector got.</summary>
    public IReadOnlyList<IEnumerable<string>> Answers => [.. _answers.Select(answers => answers.Keys)];

    /// <summary>The longest that one took.</summary>
    public TimeSpan Slowest { get; private set; }

    /// <summary>What each vector is answered now, one after the other.</summary>
    public static async Task<string[]> OnceAsync(SignpostClient client, string collection, float[][] vectors, SearchOptions options)
    {
        string[] answers = new string[vectors.Length];
        for (int i = 0; i < vectors.Length; i++)
        {
            answers[i] = Text(await client.SearchAsync(collection, vectors[i], options));
        }

        return answers;
    }

    /// <summary>Ends when this many more have ended.</summary>
    public async Task MoreAsync(int count)
    {
        for (int target = _count + count; _count < target;)
        {
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
    }

    private async Task RunAsync(TimeSpan interval)
    {
        var running = new List<Task>();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; !_stop.IsCancellationRequested; i++)
        {
            running.Add(AskAsync(i % _vectors.Length));
            TimeSpan early = (interval * (i + 1)) - Stopwatch.GetElapsedTime(start);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early);
            }
        }

        await Task.WhenAll(running);
    }

    private async Task AskAsync(int row)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            SearchResult result = await _client.SearchAsync(_collection, _vectors[row], _options);
            if (!result.Coverage.IsFull)
            {
                Interlocked.Increment(ref _partial);
            }
            else
            {
                _answers[row].TryAdd(Text(result), 0);
            }
        }
        catch (Exception e)
        {
            _failures.Add($"{e.GetType().Name}: {e.Message}");
        }

        TimeSpan took = Stopwatch.GetElapsedTime(start);
        Slowest = took > Slowest ? took : Slowest;
        Interlocked.Increment(ref _count);
    }

    /// <summary>Ids and the bits of their distances.</summary>
    internal static string Text(SearchResult result) => string.Join(' ', result.Hits.Select(hit => $"{hit.Id}:{BitConverter.SingleToUInt32Bits(hit.Distance):x8}"));
}
