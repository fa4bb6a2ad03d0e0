using System.Collections.Concurrent;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Searches while shards are split, compacted and merged.</summary>
public class LayoutSearchTests : LayoutTest
{
    private static readonly SearchParameters All = new(10, Count, SearchMode.Exact);

    [Fact]
    public void Searches_that_run_while_the_shards_change_find_every_vector_once()
    {
        Build(shards: 2);
        using Collection collection = Open();
        var cluster = new EmbeddedCluster(Disk, Folder, collection);
        Hit[][] truth = [.. Enumerable.Range(0, 30).Select(row => Nearest(Vectors, Vectors.RowSpan(row), 10))];
        var wrong = new ConcurrentBag<string>();
        long asked = 0;
        bool isOver = false;
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(t => new Thread(() =>
        {
            for (int i = t; !Volatile.Read(ref isOver); i++)
            {
                try
                {
                    if (!Ask(cluster.Coordinator, collection, i % truth.Length, All).SequenceEqual(truth[i % truth.Length]))
                    {
                        wrong.Add($"query {i % truth.Length} had another answer");
                    }
                }
                catch (Exception e)
                {
                    wrong.Add(e.Message);
                }

                Interlocked.Increment(ref asked);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        for (int round = 0; round < 4; round++)
        {
            int first = Manifest.Shards[0].Id;
            Turn(cluster, () => Split(first));
            Turn(cluster, () => Compact());
            LayoutJob.Forget(Disk, Folder, null, Work.Quiet).OrThrow();
            Turn(cluster, () => Merge(Manifest.Shards[0].Id, Manifest.Shards[1].Id));
            long before = Interlocked.Read(ref asked);
            SpinWait.SpinUntil(() => Interlocked.Read(ref asked) > before + 20);
        }

        Volatile.Write(ref isOver, true);
        Array.ForEach(threads, thread => thread.Join());
        Assert.Empty(wrong);
        Assert.Equal(2, collection.Info.ShardsOpen);
        Assert.Equal(Count, collection.Info.Memory.Count); // nothing of the old ones is open
    }

    [Fact]
    public void A_query_whose_shard_was_closed_meanwhile_begins_again_with_the_newer_map()
    {
        Build(shards: 2);
        using Collection collection = Open();
        var cluster = new EmbeddedCluster(Disk, Folder, collection);
        var client = new BeforeTheFirst(cluster.Client);
        var coordinator = new Coordinator(cluster.Coordinator.Map, client);
        client.Do = () =>
        {
            Turn(cluster, () => Split(1));
            coordinator.Use(cluster.Coordinator.Map);
        };

        Assert.Equal(Nearest(Vectors, Vectors.RowSpan(3), 10), Ask(coordinator, collection, 3, All));
        Assert.Equal(2, client.Calls);
    }

    [Theory]
    [InlineData(SearchMode.Exact)]
    [InlineData(SearchMode.Codes)]
    [InlineData(SearchMode.CodesRerank)]
    public void One_half_asked_alone_gives_what_the_pool_of_the_whole_has_of_it(SearchMode mode)
    {
        Build(shards: 1);
        Split(0, at: 3000);
        using Collection collection = Open();
        LocalShardClient client = EmbeddedCluster.ClientOf(collection);
        foreach (int row in Enumerable.Range(0, 20))
        {
            Hit[] whole = Half(0, Slots.Count, 40); // all of the pool
            foreach (SlotRange half in (SlotRange[])[new(0, 3000), new(3000, Slots.Count)])
            {
                Hit[] expected = [.. whole.Where(hit => half.Owns(hit.Id)).Take(10)];
                Assert.Equal(expected, Half(half.From, half.To, 10));
            }

            Hit[] Half(int from, int to, int k)
            {
                using Query query = QueryOf(collection, row);
                ShardSlots[] asked = [.. collection.Shards.Where(s => s.Slots.From >= from && s.Slots.To <= to).Select(s => new ShardSlots(s.Entry.Id, s.Slots))];
                var question = new ShardQuery("test", asked, query, new SearchParameters(k, 40, mode), 1, new Hit[k]);
                return client.SearchAsync(new SiloId("local", 0), question, Deadline.None, default).Result.Hits.ToArray();
            }
        }
    }

    [Fact]
    public void Halves_that_are_asked_together_cost_one_search()
    {
        Build(shards: 1);
        using Collection before = Open();
        Split(0);
        Split(1);
        using Collection after = Open();

        Assert.Equal(Stats(before), Stats(after));

        SearchStats Stats(Collection collection)
        {
            using Query query = QueryOf(collection, 7);
            return EmbeddedCluster.Over(collection).Search(query, new SearchRequest(new SearchParameters(10, 20, SearchMode.CodesRerank)), Deadline.None, new Hit[10]).Value.Stats;
        }
    }

    [Fact]
    public void A_change_whose_files_are_damaged_changes_nothing_of_what_is_served()
    {
        Build(shards: 2);
        using Collection collection = Open();
        var cluster = new EmbeddedCluster(Disk, Folder, collection);
        LayoutResult merged = Merge(0, 1);
        string segment = Path.Combine(Folder, merged.Added[0].Segment);
        byte[] whole = File.ReadAllBytes(segment);
        File.WriteAllBytes(segment, whole[..^9]);

        Assert.Throws<BadFileException>(() => cluster.Refresh(Work.Quiet));
        Assert.Equal(Nearest(Vectors, Vectors.RowSpan(1), 10), Ask(cluster.Coordinator, collection, 1, All));
        Assert.Equal([0, 1], cluster.Coordinator.Map.Shards.Select(s => s.Id.Number));

        File.WriteAllBytes(segment, whole);
        Assert.True(cluster.Refresh(Work.Quiet).OrThrow());
        Assert.Equal([2], cluster.Coordinator.Map.Shards.Select(s => s.Id.Number));
        Assert.Equal(Nearest(Vectors, Vectors.RowSpan(1), 10), Ask(cluster.Coordinator, collection, 1, All));
    }

    [Fact]
    public async Task A_training_waits_until_every_shard_has_a_segment_of_its_own_and_the_former_ones_are_forgotten()
    {
        Build(shards: 2);
        Split(0);
        var method = new VectorQuantizerMethod(QuantizerKind.Opq, new QuantizerOptions { M = 3, K = 16, TrainingVectors = 256, Iterations = 3, Rotations = 2 });
        Assert.Equal(ProblemCode.NotSupported, (await TrainAsync()).Problem?.Code);
        Compact();
        Assert.Equal(ProblemCode.Busy, (await TrainAsync()).Problem?.Code);
        LayoutJob.Forget(Disk, Folder, null, Work.Quiet).OrThrow();
        Assert.Equal(2u, (await TrainAsync()).OrThrow().Manifest.CodesVersion);

        async Task<Outcome<TrainingResult>> TrainAsync()
        {
            using Collection collection = Open();
            var cluster = new EmbeddedCluster(Disk, Folder, collection);
            return await TrainingJob.RunAsync(Disk, Folder, cluster.State, cluster.Client, method, Work.Quiet);
        }
    }

    private static void Turn(EmbeddedCluster cluster, Func<LayoutResult> change)
    {
        Assert.NotEmpty(change().Added);
        Assert.True(cluster.Refresh(Work.Quiet).OrThrow());
    }

    /// <summary>Does something before the first call is made.</summary>
    private sealed class BeforeTheFirst(IShardClient inner) : IShardClient
    {
        public Action Do { get; set; } = () => { };

        public int Calls { get; private set; }

        public string? Here => inner.Here;

        public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
        {
            if (Calls++ == 0)
            {
                Do();
            }

            return inner.SearchAsync(silo, query, deadline, cancel);
        }

        public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => throw new NotSupportedException();

        public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) => throw new NotSupportedException();

        public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) => throw new NotSupportedException();
    }
}
