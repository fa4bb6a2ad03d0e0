using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster;

public class BellTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void A_waiter_is_woken_by_a_ring_and_the_next_waits_again()
    {
        using var bell = new Bell(_time, default, default);
        Task first = bell.WaitAsync(TimeSpan.MaxValue);
        Assert.False(first.IsCompleted);
        bell.Ring();
        Assert.True(first.IsCompletedSuccessfully);
        Assert.False(bell.WaitAsync(TimeSpan.MaxValue).IsCompleted);
    }

    [Fact]
    public void A_ring_while_nobody_waits_is_for_the_next_who_does_and_several_are_one()
    {
        using var bell = new Bell(_time, default, default);
        bell.Ring();
        bell.Ring();
        Assert.True(bell.WaitAsync(TimeSpan.MaxValue).IsCompletedSuccessfully);
        Assert.False(bell.WaitAsync(TimeSpan.MaxValue).IsCompleted);
    }

    [Fact]
    public void Time_rings_after_whole_milliseconds_and_no_time_is_no_wait()
    {
        using var bell = new Bell(_time, default, default);
        Assert.True(bell.WaitAsync(TimeSpan.Zero).IsCompletedSuccessfully);
        Assert.True(bell.WaitAsync(TimeSpan.FromMilliseconds(-5)).IsCompletedSuccessfully);
        Task wait = bell.WaitAsync(TimeSpan.FromMilliseconds(1.2));
        _time.Pass(TimeSpan.FromMilliseconds(1.9));
        Assert.False(wait.IsCompleted);
        _time.Pass(TimeSpan.FromMilliseconds(0.1));
        Assert.True(wait.IsCompletedSuccessfully);
    }

    [Fact]
    public void Either_token_rings_also_one_that_is_cancelled_already()
    {
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        using var bell = new Bell(_time, first.Token, second.Token);
        Task wait = bell.WaitAsync(TimeSpan.MaxValue);
        first.Cancel();
        Assert.True(wait.IsCompletedSuccessfully);
        wait = bell.WaitAsync(TimeSpan.MaxValue);
        second.Cancel();
        Assert.True(wait.IsCompletedSuccessfully);
        using var late = new Bell(_time, first.Token, default);
        Assert.True(late.WaitAsync(TimeSpan.MaxValue).IsCompletedSuccessfully);
    }

    [Fact]
    public void After_its_end_neither_time_nor_token_rings()
    {
        using var stop = new CancellationTokenSource();
        var bell = new Bell(_time, stop.Token, default);
        Task wait = bell.WaitAsync(TimeSpan.FromMilliseconds(1));
        bell.Dispose();
        _time.Pass(TimeSpan.FromMilliseconds(5));
        stop.Cancel();
        Assert.False(wait.IsCompleted);
        bell.Ring(); // as a call does that ends late
    }
}
