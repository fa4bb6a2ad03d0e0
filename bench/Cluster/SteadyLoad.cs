using System.Collections.Concurrent;
using System.Diagnostics;
using Signpost.Client;

namespace Signpost.Bench.Cluster;

/// <summary>A query that has ended.</summary>
/// <param name="Row">Of the query vectors.</param>
/// <param name="At">When it began, seconds after the load.</param>
/// <param name="Took">Milliseconds.</param>
/// <param name="Failed">Whether it was not answered.</param>
/// <param name="Partial">Whether some shard had no part in the answer.</param>
/// <param name="Ids">Of the answer.</param>
internal sealed record Asked(int Row, double At, double Took, bool Failed, bool Partial, ulong[] Ids);

/// <summary>Queries at a steady rate, whatever becomes of them: each begins at its time, answered or not the ones before.</summary>
internal sealed class SteadyLoad
{
    private readonly ConcurrentBag<Asked> _asked = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private int _inFlight;

    public SteadyLoad(SignpostClient client, string collection, float[][] vectors, int perSecond, SearchOptions options)
    {
        _run = RunAsync(client, collection, vectors, perSecond, options);
    }

    /// <summary>When it began, a timestamp.</summary>
    public long Start { get; } = Stopwatch.GetTimestamp();

    /// <summary>Queries that are not answered yet.</summary>
    public int InFlight => _inFlight;

    /// <summary>Seconds since it began.</summary>
    public double Now => Stopwatch.GetElapsedTime(Start).TotalSeconds;

    /// <summary>Ends it; all queries in the order in which they began.</summary>
    public async Task<Asked[]> EndAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
        return [.. _asked.OrderBy(a => a.At)];
    }

    private async Task RunAsync(SignpostClient client, string collection, float[][] vectors, int perSecond, SearchOptions options)
    {
        var running = new List<Task>();
        for (int i = 0; !_stop.IsCancellationRequested; i++)
        {
            running.Add(AskAsync(i % vectors.Length));
            TimeSpan early = TimeSpan.FromSeconds((i + 1.0) / perSecond) - Stopwatch.GetElapsedTime(Start);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early, CancellationToken.None);
            }
        }

        await Task.WhenAll(running);

        async Task AskAsync(int row)
        {
            double at = Now;
            bool failed = false, partial = false;
            ulong[] ids = [];
            Interlocked.Increment(ref _inFlight);
            try
            {
                SearchResult result = await client.SearchAsync(collection, vectors[row], options);
                partial = !result.Coverage.IsFull;
                ids = [.. result.Hits.Select(hit => hit.Id)];
            }
            catch (SignpostException e)
            {
                failed = true;
                Console.Error.WriteLine($"{at:0.00}: {e.Message}");
            }

            Interlocked.Decrement(ref _inFlight);
            _asked.Add(new Asked(row, at, (Now - at) * 1000, failed, partial, ids));
        }
    }
}
