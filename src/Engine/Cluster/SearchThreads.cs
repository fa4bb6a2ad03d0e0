using System.Diagnostics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>A piece of work for a search thread.</summary>
public interface ISearchWork
{
    /// <summary>Does it, on a search thread, and waits for nothing but the processor. Must not throw.</summary>
    void Run();
}

/// <summary>Where a piece of work comes from.</summary>
public enum SearchLane
{
    /// <summary>A part of a search that another silo has begun; goes before what begins here, so that what was begun gets finished.</summary>
    OfSilos,

    /// <summary>A search that begins here.</summary>
    OfClients,
}

/// <summary>What a lane has and did.</summary>
/// <param name="Inside">Pieces of work that wait or run.</param>
/// <param name="Done">Pieces of work done so far.</param>
/// <param name="Refused">Pieces of work refused so far, because too many were inside.</param>
public readonly record struct SearchLaneCounts(int Inside, long Done, long Refused);

/// <summary>
/// The threads that search, about as many as there are cores, each doing a piece of work from beginning to end: a burst of searches does
/// not make them take turns on a core, and never takes the thread pool's threads, on which the network and the cluster's heartbeats
/// live. What waits is bounded in each lane; more is refused at once. Neither lane can take the places of the other: silos that
/// search for each other would else refuse each other's parts, full of searches that wait for these parts.
/// </summary>
public sealed class SearchThreads : IDisposable
{
    private readonly object _gate = new();
    private readonly Lane[] _lanes;
    private readonly Thread[] _threads;
    private int _idle;
    private long _busyTicks;
    private bool _isEnding;

    /// <summary>Starts <paramref name="threads"/> threads; at most <paramref name="limit"/> pieces of work wait or run in each lane.</summary>
    public SearchThreads(int threads, int limit)
    {
        _lanes = [new Lane("searches for other silos", limit), new Lane("searches", limit)];
        _threads = [.. Enumerable.Range(0, threads).Select(i => new Thread(Loop) { IsBackground = true, Name = $"signpost search {i}" })];
        Array.ForEach(_threads, thread => thread.Start());
    }

    /// <summary>Pieces of work that wait or run.</summary>
    public int Waiting => _lanes.Sum(lane => lane.Places.Inside);

    /// <summary>Threads.</summary>
    public int Count => _threads.Length;

    /// <summary>Time that all threads together have worked so far; a piece of work counts when it has ended.</summary>
    public TimeSpan BusyTime => Stopwatch.GetElapsedTime(0, Volatile.Read(ref _busyTicks));

    /// <summary>What a lane has and did.</summary>
    public SearchLaneCounts CountsOf(SearchLane lane) => _lanes[(int)lane].Counts;

    /// <summary>Takes all of <paramref name="work"/>; or none, and says why: too much waits in this lane.</summary>
    public Problem? TryAdd(SearchLane lane, params ReadOnlySpan<ISearchWork> work)
    {
        if (_lanes[(int)lane].Places.TryEnter(work.Length) is { } busy)
        {
            return busy;
        }

        lock (_gate)
        {
            if (_isEnding)
            {
                _lanes[(int)lane].Places.Leave(work.Length);
                return new Problem(ProblemCode.Busy, "search", "a process that is ending", "one that goes on", "Ask another silo.");
            }

            foreach (ISearchWork piece in work)
            {
                _lanes[(int)lane].Queue.Enqueue(piece);
            }

            for (int i = Math.Min(work.Length, _idle); i > 0; i--)
            {
                Monitor.Pulse(_gate);
            }
        }

        return null;
    }

    /// <summary>Ends the threads after what waits; what comes later is refused.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.PulseAll(_gate);
        }

        Array.ForEach(_threads, thread => thread.Join());
    }

    private void Loop()
    {
        while (Next(out Lane lane) is { } work)
        {
            long start = Stopwatch.GetTimestamp();
            work.Run();
            Interlocked.Add(ref _busyTicks, Stopwatch.GetTimestamp() - start);
            lane.Leave();
        }
    }

    /// <summary>The next piece of work, waited for; null at the end.</summary>
    private ISearchWork? Next(out Lane from)
    {
        lock (_gate)
        {
            while (true)
            {
                foreach (Lane lane in _lanes)
                {
                    if (lane.Queue.TryDequeue(out ISearchWork? work))
                    {
                        from = lane;
                        return work;
                    }
                }

                if (_isEnding)
                {
                    from = _lanes[0];
                    return null;
                }

                _idle++;
                Monitor.Wait(_gate);
                _idle--;
            }
        }
    }

    private sealed class Lane(string what, int limit)
    {
        private long _done;

        public Queue<ISearchWork> Queue { get; } = [];

        public Admission Places { get; } = new(what, limit);

        public SearchLaneCounts Counts => new(Places.Inside, Volatile.Read(ref _done), Places.Refused);

        public void Leave()
        {
            Places.Leave();
            Interlocked.Increment(ref _done);
        }
    }
}
