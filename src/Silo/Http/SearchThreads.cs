using System.Collections.Concurrent;
using Signpost.Engine.Search;

namespace Signpost.Silo.Http;

/// <summary>
/// The threads that search: as many as asked for, each searching from beginning to end, so that a burst of requests does not make
/// searches take turns on a core. What waits is bounded; more is refused at once instead of being answered too late.
/// </summary>
internal sealed class SearchThreads : IDisposable
{
    private readonly BlockingCollection<(SearchBatch Batch, int Row)> _queue = [];
    private readonly Thread[] _threads;
    private readonly int _queueMax;
    private int _waiting;

    /// <summary>Starts <paramref name="threads"/> threads; at most <paramref name="queueMax"/> vectors wait for them.</summary>
    public SearchThreads(int threads, int queueMax)
    {
        _queueMax = queueMax;
        _threads = [.. Enumerable.Range(0, threads).Select(i => new Thread(Loop) { IsBackground = true, Name = $"signpost search {i}" })];
        Array.ForEach(_threads, thread => thread.Start());
    }

    /// <summary>Vectors that wait or are being searched.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Takes all vectors of <paramref name="batch"/>, or none and returns false when too many wait.</summary>
    public bool TryAdd(SearchBatch batch)
    {
        if (Interlocked.Add(ref _waiting, batch.Count) > _queueMax)
        {
            Interlocked.Add(ref _waiting, -batch.Count);
            return false;
        }

        for (int row = 0; row < batch.Count; row++)
        {
            _queue.Add((batch, row));
        }

        return true;
    }

    /// <summary>Ends the threads after what waits.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        Array.ForEach(_threads, thread => thread.Join());
        _queue.Dispose();
    }

    private void Loop()
    {
        var queries = new Dictionary<OpenCollection, Query>();
        foreach ((SearchBatch batch, int row) in _queue.GetConsumingEnumerable())
        {
            if (!queries.TryGetValue(batch.Collection, out Query? query))
            {
                queries[batch.Collection] = query = batch.Collection.NewQuery();
            }

            batch.Run(row, query);
            Interlocked.Decrement(ref _waiting);
        }

        foreach (Query query in queries.Values)
        {
            query.Dispose();
        }
    }
}
