using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class ShardTests : ShardTest
{
    [Fact]
    public void Nothing_is_unmapped_under_a_running_search()
    {
        using VectorBlock vectors = Bytes(300);
        Build(vectors, Options());
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(5));
        Shard shard = collection.Shards[0].Shard!;
        Hit[] hits = new Hit[10];

        using (Snapshot first = shard.Snapshot(0))
        {
            using (Snapshot second = shard.Snapshot(0))
            {
                shard.Dispose();
                Assert.Equal(10, second.Search(query, new SearchParameters(10, 300), Deadline.None, hits, out _));
            }

            Assert.False(shard.IsFreed);
            Assert.Equal(10, first.Search(query, new SearchParameters(10, 300), Deadline.None, hits, out _));
            Assert.Equal(Nearest(vectors, vectors.RowSpan(5), 10), hits);
        }

        Assert.True(shard.IsFreed);
    }

    [Fact]
    public void Dropped_codes_are_freed_by_the_last_search_that_holds_them_and_the_segment_by_the_last_of_all()
    {
        using VectorBlock vectors = Bytes(300);
        Build(vectors, Options() with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256 } });
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(5));
        Shard shard = collection.Shards[0].Shard!;
        var parameters = new SearchParameters(10, 300, SearchMode.Codes);
        Hit[] expected = new Hit[10];
        Hit[] hits = new Hit[10];

        using (Snapshot held = shard.Snapshot(1))
        {
            held.Search(query, parameters, Deadline.None, expected, out _);
            shard.DropCodes(1);
            using (Snapshot late = shard.Snapshot(1))
            {
                Assert.Equal(ProblemCode.StaleVersion, late.Validate(query, parameters)?.Code);
                Assert.Null(late.Validate(query, parameters with { Mode = SearchMode.Exact }));
            }

            shard.Dispose();
            held.Search(query, parameters, Deadline.None, hits, out _);
            Assert.Equal(expected, hits);
            Assert.False(shard.IsFreed);
        }

        Assert.True(shard.IsFreed);
    }

    [Fact]
    public void A_closed_shard_gives_no_snapshot_even_while_another_is_held()
    {
        using VectorBlock vectors = Bytes(20);
        Build(vectors, Options());
        using Collection collection = Open();
        Shard shard = collection.Shards[0].Shard!;
        using Snapshot held = shard.Snapshot(0);

        shard.Dispose();
        shard.Dispose();

        Assert.Throws<ObjectDisposedException>(() => shard.Snapshot(0).Dispose());
        Assert.False(shard.IsFreed);
    }

    [Fact]
    public void Searches_of_many_threads_end_well_while_the_shard_is_closed()
    {
        using VectorBlock vectors = Bytes(300);
        Build(vectors, Options());
        using Collection collection = Open();
        Shard shard = collection.Shards[0].Shard!;
        Hit[] expected = Nearest(vectors, vectors.RowSpan(9), 5);
        using var searching = new CountdownEvent(3);
        int wrong = 0;

        void Searches()
        {
            using Query query = collection.NewQuery();
            query.SetRow(vectors.RowSpan(9));
            Hit[] hits = new Hit[5];
            for (bool first = true; ; first = false)
            {
                try
                {
                    using Snapshot snapshot = shard.Snapshot(0);
                    snapshot.Search(query, new SearchParameters(5, 300), Deadline.None, hits, out _);
                    wrong += hits.SequenceEqual(expected) ? 0 : 1;
                }
                catch (ObjectDisposedException)
                {
                    return;
                }

                if (first)
                {
                    searching.Signal();
                }
            }
        }

        Thread[] threads = [.. Enumerable.Range(0, 3).Select(_ => new Thread(Searches))];
        Array.ForEach(threads, thread => thread.Start());
        searching.Wait();
        shard.Dispose();
        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(0, wrong);
        Assert.True(shard.IsFreed);
    }

    [Theory]
    [InlineData(SearchMode.Exact)]
    [InlineData(SearchMode.Codes)]
    [InlineData(SearchMode.CodesRerank)]
    public void A_search_allocates_nothing(SearchMode mode)
    {
        using VectorBlock vectors = Bytes(300);
        Build(vectors, Options() with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256 } });
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        Shard shard = collection.Shards[0].Shard!;
        Hit[] hits = new Hit[10];

        Assert.Equal(0, Allocation.Least(100, i =>
        {
            query.SetRow(vectors.RowSpan(i));
            using Snapshot snapshot = shard.Snapshot(collection.Manifest.CodesVersion);
            snapshot.Search(query, new SearchParameters(10, 50, mode), Deadline.None, hits, out _);
        }));
    }

    [Fact]
    public void Equal_distances_are_ordered_by_id()
    {
        using VectorBlock vectors = Bytes(300, range: 2);
        ulong[] ids = [.. Enumerable.Range(0, 300).Select(i => Seeded.Mix((ulong)i))];
        Build(vectors, Options(), ids);
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(0));
        using Snapshot snapshot = collection.Shards[0].Shard!.Snapshot(0);
        Hit[] hits = new Hit[300];

        int count = snapshot.Search(query, new SearchParameters(300, 300), Deadline.None, hits, out _);

        Assert.Equal(300, count);
        Assert.Equal(Nearest(vectors, vectors.RowSpan(0), 300, row => ids[row]), hits);
    }

    [Fact]
    public unsafe void Equal_distances_are_ordered_by_id_whatever_the_order_of_the_vertices()
    {
        using VectorBlock vectors = Bytes(300, range: 2);
        ulong[] ids = [.. Enumerable.Range(0, 300).Select(i => Seeded.Mix((ulong)i))];
        ManifestShard shard = Build(vectors, Options()).Shards[0];
        string path = Path.Combine(Folder, shard.Segment);
        using (Segment ascending = Segment.Open(Disk, path, new SegmentLoad(), Work.Quiet).OrThrow())
        {
            SegmentWriter.Write(Disk, path, new SegmentContent
            {
                Vectors = vectors,
                Ids = ids,
                Metric = Metric.L2,
                Graph = ascending.Graph,
                SlotFrom = 0,
                SlotTo = Slots.Count,
                Build = ascending.Info.Build,
            }, Work.Quiet);
        }

        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(0));
        using Snapshot snapshot = collection.Shards[0].Shard!.Snapshot(0);
        Hit[] hits = new Hit[300];

        snapshot.Search(query, new SearchParameters(300, 300), Deadline.None, hits, out _);

        Assert.Equal(Nearest(vectors, vectors.RowSpan(0), 300, row => ids[row]), hits);
    }

    [Fact]
    public void A_query_of_another_collection_and_bad_parameters_are_refused()
    {
        using VectorBlock vectors = Bytes(20);
        Build(vectors, Options());
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        using var longer = new Query(Dim + 1, ElementType.UInt8, Metric.L2);
        using var other = new Query(Dim, ElementType.UInt8, Metric.Cosine);
        using Snapshot snapshot = collection.Shards[0].Shard!.Snapshot(0);

        Assert.Null(snapshot.Validate(query, new SearchParameters(1, 1)));
        Assert.Equal(ProblemCode.WrongDimension, snapshot.Validate(longer, new SearchParameters(1, 1))?.Code);
        Assert.Equal(ProblemCode.WrongDimension, snapshot.Validate(other, new SearchParameters(1, 1))?.Code);
        Assert.Equal(ProblemCode.InvalidArgument, snapshot.Validate(query, new SearchParameters(0, 1))?.Code);
        Assert.Equal(ProblemCode.NotSupported, snapshot.Validate(query, new SearchParameters(1, 1, SearchMode.Codes))?.Code);
    }

    [Fact]
    public unsafe void Codes_that_the_caller_holds_are_searched_as_the_shards_own_are()
    {
        using VectorBlock vectors = Bytes(300);
        Build(vectors, Options() with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 3, K = 16 } });
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        var parameters = new SearchParameters(10, 40, SearchMode.Codes);
        using Snapshot snapshot = collection.Shards[0].Shard!.Snapshot(collection.Manifest.CodesVersion);
        using var codes = new AlignedBuffer(snapshot.Count * collection.Quantizer!.CodeBytes);
        collection.Quantizer.Encode(snapshot.View.Vectors, 0, 300, codes.Pointer);
        SegmentView own = snapshot.View with { Codes = codes.Pointer };
        Hit[] expected = new Hit[10];
        Hit[] hits = new Hit[10];
        for (int i = 0; i < 20; i++)
        {
            query.SetRow(vectors.RowSpan(i));
            Assert.Equal(10, snapshot.Search(query, parameters, Deadline.None, expected, out _));
            Assert.Equal(10, snapshot.Search(own, query, parameters, Deadline.None, hits, out _));
            Assert.Equal(expected, hits);
        }

        new Span<byte>(codes.Pointer, (int)codes.Length).Clear(); // now all are as near
        snapshot.Search(own, query, parameters, Deadline.None, hits, out _);
        Assert.Single(hits.Select(hit => hit.Distance).Distinct());
    }
}
