using Signpost.Engine.Cluster;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Alone, because it takes all threads of the pool.</summary>
[CollectionDefinition(nameof(StarvedPoolTests), DisableParallelization = true)]
[Collection(nameof(StarvedPoolTests))]
public sealed class StarvedPoolTests
{
    [RedisFact]
    public void A_thread_of_its_own_renews_leases_while_every_thread_of_the_pool_is_blocked()
    {
        using var server = new RedisServer();
        using var silos = Silos.Of(server);
        RedisClusterState state = silos.Add();
        Lease lease = state.TryAcquireAsync("lead", "a", TimeSpan.FromHours(1), CancellationToken.None).AsTask().GetAwaiter().GetResult()!;
        using var release = new ManualResetEventSlim();
        using var poolIsTaken = new CountdownEvent(ThreadPool.ThreadCount + 1);
        Task[] blocked = [.. Enumerable.Range(0, 500).Select(_ => Task.Run(() => Block(poolIsTaken, release)))];
        poolIsTaken.Wait();

        int renewed = 0;
        var thread = new Thread(() =>
        {
            for (; renewed < 100; renewed++)
            {
                Assert.True(state.TryRenewAsync(lease, TimeSpan.FromHours(1), CancellationToken.None).AsTask().GetAwaiter().GetResult());
            }
        });
        thread.Start();
        thread.Join();
        bool stillStarved = blocked.Any(task => task.Status == TaskStatus.WaitingToRun);
        release.Set();

        Assert.Equal(100, renewed);
        Assert.True(stillStarved);
        Task.WaitAll(blocked);
    }

    private static void Block(CountdownEvent poolIsTaken, ManualResetEventSlim release)
    {
        if (!poolIsTaken.IsSet)
        {
            try
            {
                poolIsTaken.Signal();
            }
            catch (InvalidOperationException)
            {
                // another one was the last
            }
        }

        release.Wait();
    }
}
