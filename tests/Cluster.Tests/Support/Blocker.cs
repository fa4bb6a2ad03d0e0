using Signpost.Engine.Cluster;

namespace Signpost.Cluster.Tests.Support;

/// <summary>Keeps all search threads of a silo busy until it is disposed.</summary>
internal sealed class Blocker : ISearchWork, IDisposable
{
    private readonly ManualResetEventSlim _end = new();
    private readonly CountdownEvent _started;

    /// <summary>Returns when all <paramref name="count"/> threads are busy.</summary>
    public Blocker(SearchThreads threads, int count)
    {
        _started = new CountdownEvent(count);
        for (int i = 0; i < count; i++)
        {
            Assert.Null(threads.TryAdd(SearchLane.OfClients, this));
        }

        Assert.True(_started.Wait(TimeSpan.FromSeconds(30)));
    }

    public void Run()
    {
        _started.Signal();
        _end.Wait();
    }

    public void Dispose() => _end.Set();
}
