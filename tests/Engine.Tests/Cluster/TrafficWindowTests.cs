using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster;

public sealed class TrafficWindowTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();

    [Fact]
    public void Nothing_was_asked_at_the_beginning() =>
        Assert.Equal(new SiloTraffic(0, 0, 0, 0), new TrafficWindow(null, _time).Read());

    [Fact]
    public void The_queries_of_the_last_ten_whole_seconds_count()
    {
        var window = new TrafficWindow(null, _time);
        for (int second = 0; second < 30; second++)
        {
            for (int i = 0; i < (second < 15 ? 50 : 20); i++)
            {
                window.Add(TimeSpan.FromMilliseconds(1));
            }

            _time.Pass(Second);
        }

        Assert.Equal(20, window.Read().QueriesPerSecond);
        window.Add(Second); // of the second that runs
        Assert.Equal(20, window.Read().QueriesPerSecond);
        _time.Pass(Second * 5);
        Assert.Equal(10.1, window.Read().QueriesPerSecond); // five seconds of 20, and the one
        _time.Pass(Second * 10);
        Assert.Equal(new SiloTraffic(0, 0, 0, 0), window.Read());
    }

    [Fact]
    public void A_window_that_is_younger_than_ten_seconds_counts_those_that_it_has()
    {
        var window = new TrafficWindow(null, _time);
        for (int i = 0; i < 30; i++)
        {
            window.Add(TimeSpan.FromMilliseconds(1));
        }

        _time.Pass(Second * 2);
        Assert.Equal(15, window.Read().QueriesPerSecond);
    }

    [Fact]
    public void Latencies_are_told_to_within_a_fifth_above_the_true_quantile()
    {
        var window = new TrafficWindow(null, _time);
        for (int ms = 1; ms <= 1000; ms++)
        {
            window.Add(TimeSpan.FromMilliseconds(ms));
        }

        _time.Pass(Second);
        SiloTraffic traffic = window.Read();
        Assert.InRange(traffic.LatencyP50Ms, 500, 600);
        Assert.InRange(traffic.LatencyP99Ms, 990, 1188);
    }

    [Fact]
    public void Counting_a_query_allocates_nothing()
    {
        var window = new TrafficWindow(null, _time);
        Assert.Equal(0, Allocation.Least(100, i => window.Add(TimeSpan.FromMilliseconds(i))));
    }

    [Fact]
    public void Threads_that_work_are_busy()
    {
        using var threads = new SearchThreads(2, 10);
        var window = new TrafficWindow(threads, _time);
        using var done = new CountdownEvent(1);
        Assert.Null(threads.TryAdd(SearchLane.OfClients, new Spin(done)));
        done.Wait();
        SpinWait.SpinUntil(() => threads.CountsOf(SearchLane.OfClients).Done == 1);

        Assert.True(threads.BusyTime >= Spin.Time);
        Assert.Equal(0, window.Read().BusyShare); // the second has not ended
        _time.Pass(Second);
        Assert.Equal(Math.Min(1, threads.BusyTime / Second / 2), window.Read().BusyShare, 0.002);
        Assert.Equal(new SearchLaneCounts(0, 1, 0), threads.CountsOf(SearchLane.OfClients));
    }

    private sealed class Spin(CountdownEvent done) : ISearchWork
    {
        public static readonly TimeSpan Time = TimeSpan.FromMilliseconds(100);

        public void Run()
        {
            long start = TimeProvider.System.GetTimestamp();
            SpinWait.SpinUntil(() => TimeProvider.System.GetElapsedTime(start) >= Time);
            done.Signal();
        }
    }
}
