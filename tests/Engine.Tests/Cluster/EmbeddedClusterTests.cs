using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

public class EmbeddedClusterTests : ShardTest
{
    private const int Count = 400;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Exhaustive_search_gives_the_exact_answer_whatever_the_number_of_shards(int shards)
    {
        using VectorBlock vectors = Bytes(Count, range: 4); // many ties
        Build(vectors, Options(shards));
        using Collection collection = Open();
        Coordinator coordinator = EmbeddedCluster.Over(collection);
        using Query query = collection.NewQuery();
        foreach (int k in (int[])[1, 10, Count, Count + 50])
        {
            Hit[] hits = new Hit[k];
            for (int row = 0; row < 20; row++)
            {
                query.SetRow(vectors.RowSpan(row));

                SearchAnswer answer = coordinator.Search(query, new SearchRequest(new SearchParameters(k, Count + 50)), Deadline.None, hits).OrThrow();

                Assert.True(answer.Coverage.IsFull);
                Assert.Equal(Nearest(vectors, vectors.RowSpan(row), k), hits[..answer.Count]);
            }
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void A_search_allocates_nothing_whether_it_is_told_of_or_not(int shards, bool isTold)
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, Options(shards) with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256 } });
        using Collection collection = Open();
        Coordinator coordinator = EmbeddedCluster.Over(collection);
        using Query query = collection.NewQuery();
        Hit[] hits = new Hit[10];
        CallReports? report = isTold ? new CallReports() : null;
        var request = new SearchRequest(new SearchParameters(10, 50, SearchMode.CodesRerank), Report: report);

        Assert.Equal(0, Allocation.Least(100, i =>
        {
            query.SetRow(vectors.RowSpan(i));
            report?.Clear();
            coordinator.Search(query, request, Deadline.After(TimeSpan.FromMinutes(1)), hits);
        }));
        Assert.Equal(isTold ? 1 : 0, report?.Calls.Length ?? 0);
    }

    [Fact]
    public void A_search_whose_shards_are_all_here_allocates_nothing_where_other_silos_have_them_too()
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, Options(shards: 3));
        using Collection collection = Open();
        ShardMap map = EmbeddedCluster.MapOf(collection);
        for (int shard = 0; shard < 3; shard++)
        {
            map = map.WithReplicas(shard, new Replica("other", ReplicaState.Serving, Epoch: 4), new Replica(EmbeddedCluster.Silo, ReplicaState.Serving));
        }

        var coordinator = new Coordinator(map, EmbeddedCluster.ClientOf(collection), localQueue: () => 3);
        using Query query = collection.NewQuery();
        Hit[] hits = new Hit[10];
        var request = new SearchRequest(new SearchParameters(10, 50));

        Assert.Equal(0, Allocation.Least(100, i =>
        {
            query.SetRow(vectors.RowSpan(i));
            coordinator.Search(query, request, Deadline.After(TimeSpan.FromMinutes(1)), hits);
        }));
        Assert.Equal(hits[0], new Hit(99, 0));
    }

    [Fact]
    public void An_embedded_search_ends_on_the_callers_thread()
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, Options(shards: 2));
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(0));

        ValueTask<Outcome<SearchAnswer>> search = EmbeddedCluster.Over(collection)
            .SearchAsync(query, new SearchRequest(new SearchParameters(1, 10)), Deadline.None, new Hit[1], default);

        Assert.True(search.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_damaged_shard_shows_in_the_coverage_with_its_file()
    {
        using VectorBlock vectors = Bytes(Count);
        CollectionManifest manifest = Build(vectors, Options(shards: 4));
        File.WriteAllText(Path.Combine(Folder, manifest.Shards[2].Segment), "cut");
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(0));
        var request = new SearchRequest(new SearchParameters(10, Count));
        Hit[] hits = new Hit[10];
        Coordinator coordinator = EmbeddedCluster.Over(collection);

        SearchAnswer answer = coordinator.Search(query, request, Deadline.None, hits).OrThrow();

        Assert.Equal(new Coverage(3, 4, Count - manifest.Shards[2].Count, Count), answer.Coverage);
        Assert.Contains(manifest.Shards[2].Segment, Assert.Single(answer.Missing).Reason);
        SlotRange lost = collection.Shards[2].Slots;
        Assert.Equal(Nearest(vectors, vectors.RowSpan(0), Count).Where(hit => !lost.Owns(hit.Id)).Take(10), hits);
        Assert.Equal(
            ProblemCode.IncompleteCoverage, coordinator.Search(query, request with { RequireFull = true }, Deadline.None, hits).Problem?.Code);
    }

    [Fact]
    public void Two_threads_may_ask_one_coordinator_at_once()
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, Options(shards: 3));
        using Collection collection = Open();
        Coordinator coordinator = EmbeddedCluster.Over(collection);
        int wrong = 0;

        void Searches(int first)
        {
            using Query query = collection.NewQuery();
            Hit[] hits = new Hit[5];
            for (int row = first; row < Count; row += 2)
            {
                query.SetRow(vectors.RowSpan(row));
                coordinator.Search(query, new SearchRequest(new SearchParameters(5, Count)), Deadline.None, hits);
                if (!hits.SequenceEqual(Nearest(vectors, vectors.RowSpan(row), 5)))
                {
                    Interlocked.Increment(ref wrong);
                }
            }
        }

        var other = new Thread(() => Searches(1));
        other.Start();
        Searches(0);
        other.Join();

        Assert.Equal(0, wrong);
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, Options(shards: 2));
        using Collection collection = Open();
        using Query query = collection.NewQuery();

        foreach (SearchParameters bad in (SearchParameters[])[new(0, 5), new(-3, 5), new(5, 4), new(5, 5, SearchMode.Codes)])
        {
            Assert.False(EmbeddedCluster.Over(collection).Search(query, new SearchRequest(bad), Deadline.None, new Hit[5]).Ok);
        }
    }
}
