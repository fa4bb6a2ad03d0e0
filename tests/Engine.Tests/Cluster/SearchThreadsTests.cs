using System.Collections.Concurrent;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

public class SearchThreadsTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    [Fact]
    public void Every_piece_of_work_is_done_once_on_a_thread_of_its_own_kind()
    {
        var threads = new SearchThreads(3, 1000);
        var ran = new ConcurrentQueue<(int Number, string? Thread, bool OnPool)>();
        for (int i = 0; i < 500; i++)
        {
            int number = i;
            var lane = (SearchLane)(i % 2);
            Assert.Null(threads.TryAdd(lane, new Work(() => ran.Enqueue((number, Thread.CurrentThread.Name, Thread.CurrentThread.IsThreadPoolThread)))));
        }

        threads.Dispose(); // after what waits

        Assert.Equal(Enumerable.Range(0, 500), ran.Select(work => work.Number).Order());
        Assert.All(ran, work => Assert.StartsWith("signpost search ", work.Thread, StringComparison.Ordinal));
        Assert.DoesNotContain(ran, work => work.OnPool);
        Assert.Equal(0, threads.Waiting);
    }

    [Fact]
    public void What_is_beyond_the_limit_is_refused_as_a_whole_and_each_lane_has_places_of_its_own()
    {
        using var threads = new SearchThreads(1, 3);
        using var gate = new Gate(threads);
        var nothing = new Work(() => { });

        Assert.Null(threads.TryAdd(SearchLane.OfClients, nothing));
        Problem? busy = threads.TryAdd(SearchLane.OfClients, nothing, nothing);
        Assert.Equal(ProblemCode.Busy, busy?.Code);
        Assert.Contains("2 inside and 2 more", busy!.Got, StringComparison.Ordinal);
        Assert.Contains("3", busy.Expected, StringComparison.Ordinal);
        Assert.Null(threads.TryAdd(SearchLane.OfClients, nothing)); // nothing of the refused work has a place
        Assert.NotNull(threads.TryAdd(SearchLane.OfClients, nothing));
        Assert.Null(threads.TryAdd(SearchLane.OfSilos, nothing, nothing, nothing));
        Assert.NotNull(threads.TryAdd(SearchLane.OfSilos, nothing));
        Assert.Equal(6, threads.Waiting);
    }

    [Fact]
    public void What_another_silo_has_begun_goes_before_what_begins_here()
    {
        var order = new ConcurrentQueue<string>();
        using (var threads = new SearchThreads(1, 10))
        {
            using (new Gate(threads))
            {
                Assert.Null(threads.TryAdd(SearchLane.OfClients, new Work(() => order.Enqueue("client 1")), new Work(() => order.Enqueue("client 2"))));
                Assert.Null(threads.TryAdd(SearchLane.OfSilos, new Work(() => order.Enqueue("silo 1")), new Work(() => order.Enqueue("silo 2"))));
            }
        }

        Assert.Equal(["silo 1", "silo 2", "client 1", "client 2"], order);
    }

    [Fact]
    public void All_threads_wake_up_for_work_that_comes_at_once()
    {
        using var threads = new SearchThreads(4, 10);
        for (int round = 0; round < 100; round++)
        {
            using var together = new Barrier(4); // nobody goes on until all four are there
            using var ended = new CountdownEvent(4);
            ISearchWork[] work = [.. Enumerable.Range(0, 4).Select(_ => new Work(() =>
            {
                Assert.True(together.SignalAndWait(Hang));
                ended.Signal();
            }))];
            Assert.Null(threads.TryAdd(SearchLane.OfClients, work));
            Assert.True(ended.Wait(Hang));
            SpinWait.SpinUntil(() => threads.Waiting == 0);
        }
    }

    [Fact]
    public void What_comes_after_the_end_is_refused()
    {
        var threads = new SearchThreads(1, 10);
        threads.Dispose();

        Assert.Equal(ProblemCode.Busy, threads.TryAdd(SearchLane.OfSilos, new Work(() => { }))?.Code);
        Assert.Equal(0, threads.Waiting);
    }

    [Fact]
    public void Admission_lets_in_what_fits_whoever_asks_at_once()
    {
        var places = new Admission("things", 10);
        int inside = 0;
        int most = 0;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                if (places.TryEnter(3) is null)
                {
                    int now = Interlocked.Add(ref inside, 3);
                    InterlockedMax(ref most, now);
                    Interlocked.Add(ref inside, -3);
                    places.Leave(3);
                }
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.InRange(most, 3, 9);
        Assert.Equal(0, places.Inside);
        Assert.NotNull(places.TryEnter(11));
        Assert.NotNull(places.TryEnter(int.MaxValue));
        Assert.Null(places.TryEnter(10));
        Assert.Throws<CheckFailedException>(() => places.Leave(11));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (int seen = Volatile.Read(ref target); value > seen;)
        {
            seen = Interlocked.CompareExchange(ref target, value, seen);
        }
    }

    private sealed class Work(Action body) : ISearchWork
    {
        public void Run() => body();
    }

    /// <summary>Keeps the only thread of a pool busy until it is disposed.</summary>
    private sealed class Gate : IDisposable
    {
        private readonly ManualResetEventSlim _open = new();

        public Gate(SearchThreads threads)
        {
            using var started = new ManualResetEventSlim();
            Assert.Null(threads.TryAdd(SearchLane.OfClients, new Work(() =>
            {
                started.Set();
                _open.Wait(Hang);
            })));
            Assert.True(started.Wait(Hang));
        }

        public void Dispose() => _open.Set();
    }
}
