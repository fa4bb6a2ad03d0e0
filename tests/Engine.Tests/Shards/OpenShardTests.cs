using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

/// <summary>Shards that are opened and closed while their collection is open.</summary>
public class OpenShardTests : ShardTest
{
    private const int Count = 300;
    private const int Shards = 3;

    private static readonly CollectionOptions NoneAtFirst = new() { OpenShards = false };

    private static readonly BuildOptions WithCodes =
        Options(Shards) with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256 } };

    private readonly CollectionManifest _manifest;
    private Collection? _disposed;

    public OpenShardTests()
    {
        using VectorBlock vectors = Bytes(Count);
        _manifest = Build(vectors, WithCodes);
    }

    [Fact]
    public void A_collection_opens_without_its_shards_and_each_of_them_when_it_is_asked_for()
    {
        using Collection whole = Open();
        using Collection collection = Open(NoneAtFirst);
        Assert.Equal((Shards, 0, 0L), (collection.Shards.Count, collection.Info.ShardsOpen, collection.Info.Memory.Resident));
        Assert.All(collection.Shards, shard => Assert.Equal((false, "it has not been opened here"), (shard.IsOpen, shard.Reason)));
        Assert.Contains("not been opened", Assert.Throws<IOException>(() => collection.ShardOf(1)).Message);

        Shard opened = collection.OpenShard(1, Work.Quiet).OrThrow();

        Assert.Same(opened, collection.ShardOf(1));
        Assert.Same(opened, collection.OpenShard(1, Work.Quiet).OrThrow()); // once is enough
        Assert.Equal([false, true, false], collection.Shards.Select(shard => shard.IsOpen));
        Assert.Null(collection.Shards[1].Reason);
        Assert.Equal(1, collection.Info.ShardsOpen);
        foreach (SearchMode mode in Enum.GetValues<SearchMode>())
        {
            Assert.Equal(Nearest(whole, 1, mode), Nearest(collection, 1, mode));
        }
    }

    [Fact]
    public void A_shard_that_the_manifest_does_not_have_is_refused()
    {
        using Collection collection = Open(NoneAtFirst);

        Assert.Equal(ProblemCode.NotFound, collection.OpenShard(Shards, Work.Quiet).Problem?.Code);
        Assert.Throws<IOException>(() => collection.BytesOf(Shards));
        collection.CloseShard(Shards);
    }

    [Theory]
    [InlineData(Residency.Mapped)]
    [InlineData(Residency.Loaded)]
    public void The_bytes_of_a_shard_are_known_from_the_manifest_and_are_what_it_takes(Residency residency)
    {
        using Collection collection = Open(NoneAtFirst with { Vectors = residency });
        long[] expected = [.. Enumerable.Range(0, Shards).Select(collection.BytesOf)];
        string away = Path.Combine(Root, "away");
        Directory.Move(Folder, away);
        Assert.Equal(expected, Enumerable.Range(0, Shards).Select(collection.BytesOf));
        Directory.Move(away, Folder);
        for (int number = 0; number < Shards; number++)
        {
            Assert.Equal(expected[number], collection.OpenShard(number, Work.Quiet).OrThrow().Memory.Resident);
        }
    }

    [Fact]
    public void Memory_that_does_not_suffice_is_refused_with_need_and_have_before_anything_is_loaded()
    {
        var disk = new FaultyDisk();
        foreach (string path in Directory.GetFiles(Folder))
        {
            disk[path] = File.ReadAllBytes(path);
        }

        using Collection planning = Open(NoneAtFirst);
        long limit = planning.BytesOf(0) + planning.BytesOf(1);
        long need = limit + planning.BytesOf(2);
        using Collection collection = Collection.Open(disk, Folder, NoneAtFirst with { MemoryLimit = limit }, Work.Quiet).OrThrow();
        collection.OpenShard(0, Work.Quiet).OrThrow();
        collection.OpenShard(1, Work.Quiet).OrThrow();
        long read = disk.BytesRead;

        Problem? problem = collection.OpenShard(2, Work.Quiet).Problem;

        Assert.Equal((ProblemCode.NotEnoughMemory, $"need {need} bytes, have {limit}"), (problem!.Code, problem.Got));
        Assert.InRange(disk.BytesRead - read, 0, FileHeader.Bytes * 20); // a header
        Assert.Equal(problem.ToString(), collection.Shards[2].Reason);
        Assert.Equal(2, collection.Info.ShardsOpen);
        collection.CloseShard(0);
        Assert.True(collection.OpenShard(2, Work.Quiet).Ok);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_damaged_shard_is_refused_with_path_and_offset_the_others_serve_and_a_mended_one_opens(bool codes)
    {
        string path = Path.Combine(Folder, codes ? _manifest.Shards[1].Codes! : _manifest.Shards[1].Segment);
        byte[] good = File.ReadAllBytes(path);
        File.WriteAllBytes(path, [.. good[..^1], (byte)(good[^1] ^ 1)]);
        using Collection collection = Open(NoneAtFirst);
        collection.OpenShard(0, Work.Quiet).OrThrow();

        BadFileException refused = Assert.Throws<BadFileException>(() => collection.OpenShard(1, Work.Quiet));

        Assert.Equal(path, refused.Path);
        Assert.Equal(refused.Message, collection.Shards[1].Reason);
        Assert.Equal(10, Nearest(collection, 0, SearchMode.Codes).Length);
        Assert.Equal(collection.BytesOf(0), collection.Info.Memory.Resident); // nothing of it stays
        File.WriteAllBytes(path, good);
        Assert.True(collection.OpenShard(1, Work.Quiet).Ok);
    }

    [Fact]
    public void A_missing_segment_is_refused_and_a_missing_codes_file_is_a_bad_file()
    {
        using Collection collection = Open(NoneAtFirst);
        File.Delete(Path.Combine(Folder, _manifest.Shards[0].Segment));
        File.Delete(Path.Combine(Folder, _manifest.Shards[1].Codes!));

        Assert.Equal(ProblemCode.NotFound, collection.OpenShard(0, Work.Quiet).Problem?.Code);
        Assert.Throws<BadFileException>(() => collection.OpenShard(1, Work.Quiet));
        Assert.True(collection.OpenShard(2, Work.Quiet).Ok);
    }

    [Fact]
    public void Searches_of_a_closed_shard_end_well_and_the_last_of_them_gives_the_memory_back()
    {
        using Collection collection = Open();
        Shard shard = collection.ShardOf(1);
        Hit[] expected = Nearest(collection, 1, SearchMode.Codes);
        Hit[] hits = new Hit[10];
        using Query query = QueryOf(collection);

        using (Snapshot held = shard.Snapshot(1))
        {
            collection.CloseShard(1);
            collection.CloseShard(1);
            held.Search(query, new SearchParameters(10, Count, SearchMode.Codes), Deadline.None, hits, out _);
            Assert.Equal(expected, hits);
            Assert.False(shard.IsFreed);
            Assert.Equal("it has been closed here", Assert.Throws<IOException>(() => collection.ShardOf(1)).Message);
        }

        Assert.True(shard.IsFreed);
        Assert.Equal(collection.BytesOf(0) + collection.BytesOf(2), collection.Info.Memory.Resident);
        Assert.NotSame(shard, collection.OpenShard(1, Work.Quiet).OrThrow());
        Assert.Equal(expected, Nearest(collection, 1, SearchMode.Codes));
    }

    [Fact]
    public void An_opening_that_is_cancelled_leaves_nothing_and_can_be_repeated()
    {
        using Collection collection = Open(NoneAtFirst);
        for (int reports = 1; ; reports++)
        {
            using var stop = new CancellationTokenSource();
            try
            {
                collection.OpenShard(0, new Work(1, new CancelAfter(reports, stop), stop.Token)).OrThrow();
                Assert.True(reports > 3, "nothing was cancelled");
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.Equal((false, 0L), (collection.Shards[0].IsOpen, collection.Info.Memory.Resident));
            }
        }

        Assert.Equal(10, Nearest(collection, 0, SearchMode.Codes).Length);
    }

    [Fact]
    public void A_collection_that_is_disposed_while_a_shard_is_opened_keeps_nothing_of_it()
    {
        var collection = Collection.Open(
            new MeddlingDisk(".codes", () => _disposed!.Dispose()), Folder, NoneAtFirst, Work.Quiet).OrThrow();
        _disposed = collection;

        Assert.Throws<ObjectDisposedException>(() => collection.OpenShard(0, Work.Quiet));

        Assert.Equal(0, collection.Info.ShardsOpen);
        Assert.Throws<ObjectDisposedException>(() => collection.OpenShard(1, Work.Quiet));
    }

    [Fact]
    public void Threads_that_open_close_and_search_the_same_shards_disturb_no_answer()
    {
        using Collection whole = Open();
        Hit[][] expected = [.. Enumerable.Range(0, Shards).Select(number => Nearest(whole, number, SearchMode.CodesRerank))];
        using Collection collection = Open(NoneAtFirst);
        long answers = 0;
        string? failure = null;
        void Loop(int thread)
        {
            try
            {
                for (int i = 0; i < 300; i++)
                {
                    int number = (i + thread) % Shards;
                    collection.OpenShard(number, Work.Quiet).OrThrow();
                    try
                    {
                        failure = Nearest(collection, number, SearchMode.CodesRerank).SequenceEqual(expected[number]) ? failure : $"shard {number} answered wrong";
                        Interlocked.Increment(ref answers);
                    }
                    catch (Exception e) when (e is ObjectDisposedException or IOException and not BadFileException)
                    {
                        // Another thread closed it.
                    }

                    if (i % 3 == thread)
                    {
                        collection.CloseShard((number + 1) % Shards);
                    }
                }
            }
            catch (Exception e)
            {
                failure = e.ToString();
            }
        }

        Thread[] threads = [.. Enumerable.Range(0, 3).Select(i => new Thread(() => Loop(i)))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Null(failure);
        Assert.True(answers > 100, $"{answers} answers");
        Enumerable.Range(0, Shards).ToList().ForEach(collection.CloseShard);
        Assert.Equal(0, collection.Info.Memory.Resident);
    }

    private static Query QueryOf(Collection collection)
    {
        Query query = collection.NewQuery();
        using VectorBlock vectors = Bytes(1, seed: 9);
        query.SetRow(vectors.RowSpan(0));
        return query;
    }

    private static Hit[] Nearest(Collection collection, int number, SearchMode mode)
    {
        using Query query = QueryOf(collection);
        using Snapshot snapshot = collection.ShardOf(number).Snapshot(1);
        Hit[] hits = new Hit[10];
        int count = snapshot.Search(query, new SearchParameters(10, Count, mode), Deadline.None, hits, out _);
        return hits[..count];
    }
}
