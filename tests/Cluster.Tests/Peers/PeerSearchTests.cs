using System.Collections.Concurrent;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Peers;

/// <summary>Searches of another silo: the same answers, for those who are meant, on the threads that are there for it.</summary>
public sealed class PeerSearchTests : PeerTest
{
    [Theory]
    [InlineData(SearchMode.Exact, 1)]
    [InlineData(SearchMode.Exact, 400)]
    [InlineData(SearchMode.Codes, 10)]
    [InlineData(SearchMode.CodesRerank, 10)]
    public async Task An_answer_is_that_of_a_method_call_to_the_bit(SearchMode mode, int k)
    {
        LocalShardClient local = EmbeddedCluster.ClientOf(Collection);
        for (int row = 0; row < 30; row++)
        {
            ShardQuery asked = Asked(row, new SearchParameters(k, Math.Max(k, 40), mode));
            ShardAnswer here = await local.SearchAsync(Silo.Id, asked, Deadline.None, default);
            Hit[] expected = here.Hits.ToArray();

            ShardAnswer there = await Client.SearchAsync(Silo.Id, asked, Deadline.After(Hang), default);

            Assert.Equal(expected.Select(Bits), there.Hits.ToArray().Select(Bits));
            Assert.Equal(here.Stats, there.Stats);
            Assert.Equal((here.Missing, here.Refusal), (there.Missing, there.Refusal));
        }

        static (ulong, int) Bits(Hit hit) => (hit.Id, BitConverter.SingleToInt32Bits(hit.Distance));
    }

    [Fact]
    public async Task Many_callers_at_once_get_their_own_answers()
    {
        var calls = Enumerable.Range(0, 64).Select(async caller =>
        {
            for (int i = 0; i < 40; i++)
            {
                int row = ((caller * 40) + i) % Count;
                int k = 1 + (caller % 20);
                ShardAnswer answer = await Client.SearchAsync(Silo.Id, Asked(row, new SearchParameters(k, 300)), Deadline.After(Hang), default);
                Assert.Equal(Nearest(Vectors, Vectors.RowSpan(row), k), answer.Hits.ToArray());
            }
        });

        await Task.WhenAll(calls).WaitAsync(Hang);
    }

    [Fact]
    public async Task Another_name_and_an_epoch_that_has_ended_are_refused()
    {
        Assert.Contains("this is b, not c", (await Assert.ThrowsAsync<IOException>(() => SearchAsync(Client, new SiloId("c", 1)))).Message, StringComparison.Ordinal);
        var before = new SiloId("b", Silo.Id.Epoch + 1);
        string failure = (await Assert.ThrowsAsync<IOException>(() => SearchAsync(Client, before))).Message;
        Assert.Contains($"b has epoch {Silo.Id.Epoch} now", failure, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => Client.SampleAsync(new ReplicaId(new ShardId("test", 0), before), 1, 1, default).AsTask());
        await AssertServesAsync();
    }

    [Fact]
    public async Task A_silo_whose_lease_has_lapsed_answers_nobody_until_it_has_it_again()
    {
        var clock = new ManualClock();
        await using PeerSilo frozen = await PeerSilo.StartAsync("c", _ => Collection, time: clock);
        using var client = new RemoteShardClient(_ => frozen.Address, Limits);
        await SearchAsync(client, frozen.Id);

        clock.Pass(PeerSilo.LeaseTime);

        Assert.Contains("lost its lease", (await Assert.ThrowsAsync<IOException>(() => SearchAsync(client, frozen.Id))).Message, StringComparison.Ordinal);
        using var own = new PeerShardClient(frozen.Shards, _ => null);
        await Assert.ThrowsAsync<IOException>(() => SearchAsync(own, frozen.Id));
        Assert.True(frozen.Lease.Beat("", default));
        await SearchAsync(client, frozen.Id);
    }

    [Fact]
    public async Task A_silo_that_nobody_knows_is_said_to_be_none()
    {
        using var client = new RemoteShardClient(_ => null, Limits);

        Assert.Contains("not among the members", await FailureAsync(() => SearchAsync(client, Silo.Id)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Searches_and_trainings_never_run_on_threads_of_the_pool()
    {
        var onPool = new ConcurrentQueue<string>();
        int seen = 0;
        await using PeerSilo watched = await PeerSilo.StartAsync("b", Watch);
        using var remote = new RemoteShardClient(_ => watched.Address, Limits);
        using var own = new PeerShardClient(watched.Shards, _ => null);
        var replica = new ReplicaId(new ShardId("test", 0), watched.Id);

        foreach (IShardClient client in (IShardClient[])[remote, own])
        {
            await Task.Run(() => SearchAsync(client, watched.Id));
            (await client.SampleAsync(replica, 3, 1, default)).Dispose();
            await client.DropCodesAsync(replica, 7, default);
        }

        Assert.True(seen >= 8);
        Assert.Empty(onPool);

        Collection? Watch(string name)
        {
            Interlocked.Increment(ref seen);
            if (Thread.CurrentThread.IsThreadPoolThread)
            {
                onPool.Enqueue(Environment.StackTrace);
            }

            return Collection;
        }
    }

    [Fact]
    public void A_search_of_this_silo_on_a_thread_that_is_not_the_pools_has_ended_when_the_call_returns()
    {
        using var client = new PeerShardClient(Silo.Shards, _ => null);
        bool hasEnded = false;
        var thread = new Thread(() => hasEnded = client.SearchAsync(Silo.Id, Asked(3, new SearchParameters(10, 40)), Deadline.None, default).IsCompletedSuccessfully);
        thread.Start();
        thread.Join();

        Assert.True(hasEnded);
    }

    [Fact]
    public async Task Trainings_are_answered_while_all_search_threads_are_busy()
    {
        using var blocker = new Blocker(Silo.Threads, 2);
        var replica = new ReplicaId(new ShardId("test", 0), Silo.Id);
        Task<ShardAnswer>[] searches = [.. Enumerable.Range(0, 64).Select(row => SearchAsync(Client, Silo.Id, row))];

        (await Client.SampleAsync(replica, 3, 1, default).AsTask().WaitAsync(Hang)).Dispose();
        await Client.EndTracesAsync(replica, default).AsTask().WaitAsync(Hang);

        Assert.DoesNotContain(searches, search => search.IsCompleted);
        blocker.Dispose();
        await Task.WhenAll(searches);
    }

    [Fact]
    public async Task A_search_that_is_cancelled_ends_so_though_the_silo_is_busy()
    {
        using var blocker = new Blocker(Silo.Threads, 2);
        using var cancel = new CancellationTokenSource();
        Task<ShardAnswer>[] searches = [.. Enumerable.Range(0, 20).Select(row => SearchAsync(Client, Silo.Id, row, default, cancel.Token))];

        cancel.Cancel();

        foreach (Task<ShardAnswer> search in searches)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => search);
        }

        blocker.Dispose();
        await AssertServesAsync();
    }

    [Fact]
    public async Task A_search_that_is_given_up_ends_without_hits()
    {
        using var blocker = new Blocker(Silo.Threads, 2);
        using var giveUp = new CancellationTokenSource();
        Task<ShardAnswer> search = SearchAsync(Client, Silo.Id, 3, Deadline.OnCancel(giveUp.Token));

        giveUp.Cancel();

        ShardAnswer answer = await search;
        Assert.True(answer.Stats.DeadlineReached);
        Assert.Equal([0, 1], answer.Missing!.Select(missing => missing.Shard.Number));
    }

    [Fact]
    public async Task A_search_whose_time_passes_in_the_silo_that_is_asked_ends()
    {
        using var blocker = new Blocker(Silo.Threads, 2);

        Task<ShardAnswer> search = SearchAsync(Client, Silo.Id, 3, Deadline.After(TimeSpan.FromMilliseconds(50)));

        Assert.Contains("did not answer", await FailureAsync(() => search), StringComparison.Ordinal);
    }
}

/// <summary>A silo with room for two searches of others.</summary>
public sealed class BusyPeerTests : PeerTest
{
    private protected override int QueueMax => 2;

    [Fact]
    public async Task What_waits_beyond_the_limit_is_refused_as_busy_and_the_rest_is_answered()
    {
        using var blocker = new Blocker(Silo.Threads, 2);
        Task<ShardAnswer>[] searches = [.. Enumerable.Range(0, 4).Select(row => SearchAsync(Client, Silo.Id, row))];

        var refused = new List<Task<ShardAnswer>>();
        await foreach (Task<ShardAnswer> ended in Task.WhenEach(searches))
        {
            refused.Add(ended);
            if (refused.Count == 2)
            {
                break;
            }
        }

        blocker.Dispose();

        Assert.All(refused, search => Assert.Contains("Busy", search.Exception!.InnerException!.Message, StringComparison.Ordinal));
        await Task.WhenAll(searches.Except(refused)).WaitAsync(Hang);
        await AssertServesAsync();
    }
}
