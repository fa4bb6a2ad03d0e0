using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Eval;

/// <summary>
/// Runs a set of queries through a collection with one setting and measures. Every thread has its own query and room for hits, made
/// before the clock starts, so that what is timed is what a server does per query: bind the vector, search, merge.
/// </summary>
internal sealed record QueryPass(ISearchable Subject, VectorBlock Queries, SearchParameters Parameters, CancellationToken Cancel)
{
    private const int QueriesPerClaim = 16;

    /// <summary>One pass that is not timed and warms up: what is found, and what it took.</summary>
    /// <returns>Ids, shape [queries, K]; <see cref="GroundTruth.Missing"/> where there were fewer.</returns>
    public (uint[] Ids, SearchStats Stats) Find(int threads)
    {
        uint[] ids = new uint[Queries.Count * Parameters.K];
        var total = default(SearchStats);
        var totalLock = new Lock();
        OnThreads(threads, worker =>
        {
            SearchStats own = default;
            while (worker.Claim(out long from, out long to))
            {
                for (long i = from; i < to; i++)
                {
                    int count = worker.Search(i, out SearchStats stats);
                    own.Add(stats);
                    Span<uint> row = ids.AsSpan((int)i * Parameters.K, Parameters.K);
                    row.Fill(GroundTruth.Missing);
                    for (int j = 0; j < count; j++)
                    {
                        row[j] = (uint)worker.Hits[j].Id;
                    }
                }
            }

            lock (totalLock)
            {
                total.Add(own);
            }
        });
        return (ids, total);
    }

    /// <summary>One timed pass on one thread: seconds, seconds of processor time, and the ticks of each query to <paramref name="ticks"/>.</summary>
    public (double Seconds, double CpuSeconds) TimeOne(Span<long> ticks)
    {
        long[] taken = new long[ticks.Length];
        double seconds = 0;
        double cpu = 0;
        OnThreads(1, worker =>
        {
            double cpuStart = ThreadClock.Seconds();
            long start = Stopwatch.GetTimestamp();
            long before = start;
            for (int i = 0; i < taken.Length; i++)
            {
                worker.Search(i, out _);
                long now = Stopwatch.GetTimestamp();
                taken[i] = now - before;
                before = now;
            }

            seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            cpu = ThreadClock.Seconds() - cpuStart;
        });
        taken.CopyTo(ticks);
        return (seconds, cpu);
    }

    /// <summary>One timed pass on <paramref name="threads"/> threads that share the queries: seconds from the common start to the last end.</summary>
    public double TimeAll(int threads)
    {
        long start = 0;
        using var together = new Barrier(threads, _ => start = Stopwatch.GetTimestamp());
        OnThreads(threads, worker =>
        {
            together.SignalAndWait();
            while (worker.Claim(out long from, out long to))
            {
                for (long i = from; i < to; i++)
                {
                    worker.Search(i, out _);
                }
            }
        });
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void OnThreads(int count, Action<Worker> body)
    {
        var claims = new Claims();
        ExceptionDispatchInfo? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                using var worker = new Worker(this, claims);
                body(worker);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
            }
        })
        { Name = $"signpost query {i}" })];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        failure?.Throw();
    }

    /// <summary>Which queries are given out.</summary>
    private sealed class Claims
    {
        private long _next;

        public bool Take(long count, out long from, out long to)
        {
            from = Interlocked.Add(ref _next, QueriesPerClaim) - QueriesPerClaim;
            to = Math.Min(from + QueriesPerClaim, count);
            return from < count;
        }
    }

    /// <summary>What one thread needs to search.</summary>
    private sealed class Worker(QueryPass pass, Claims claims) : IDisposable
    {
        private readonly IThreadSearch _thread = pass.Subject.NewThread();

        public Hit[] Hits { get; } = new Hit[pass.Parameters.K];

        public bool Claim(out long from, out long to)
        {
            pass.Cancel.ThrowIfCancellationRequested();
            return claims.Take(pass.Queries.Count, out from, out to);
        }

        public int Search(long row, out SearchStats stats)
        {
            if ((row & (QueriesPerClaim - 1)) == 0)
            {
                pass.Cancel.ThrowIfCancellationRequested();
            }

            return _thread.Search(pass.Queries.RowSpan(row), pass.Parameters, Hits, out stats);
        }

        public void Dispose() => _thread.Dispose();
    }
}
