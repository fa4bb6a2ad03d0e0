using Signpost.Engine.Base;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Storage;

public class ThrottleTests
{
    [Fact]
    public void In_any_time_no_more_passes_than_the_rate_and_one_call()
    {
        var random = new Seeded(7, 0);
        var time = new ManualTime();
        var throttle = new Throttle(1000, time);
        var passed = new List<(double At, int Bytes)>();
        TimeSpan start = time.Now;
        for (int i = 0; i < 2000; i++)
        {
            time.Pass(TimeSpan.FromMilliseconds(random.Next(300)));
            int bytes = random.Next(400);
            passed.Add((throttle.Reserve(bytes), bytes));
            Assert.True(passed[^1].At >= (time.Now - start).TotalSeconds - 1e-9);
        }

        for (int from = 0; from < passed.Count; from += 17)
        {
            long sum = 0;
            for (int to = from; to < Math.Min(passed.Count, from + 100); to++)
            {
                Assert.True(sum <= (1000 * (passed[to].At - passed[from].At)) + 1e-3, "more than the rate has passed");
                sum += passed[to].Bytes;
            }
        }
    }

    [Fact]
    public void What_was_not_used_is_lost()
    {
        var time = new ManualTime();
        var throttle = new Throttle(100, time);
        time.Pass(TimeSpan.FromSeconds(50));

        Assert.Equal(50, throttle.Reserve(100), 6);
        Assert.Equal(51, throttle.Reserve(100), 6);
        Assert.Equal(52, throttle.Reserve(0), 6);
    }

    [Fact]
    public void Who_waits_can_be_cancelled()
    {
        var throttle = new Throttle(1, TimeProvider.System);
        using var cancel = new CancellationTokenSource();
        throttle.Take(1_000_000, cancel.Token);
        cancel.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => throttle.Take(1, cancel.Token));
    }
}
