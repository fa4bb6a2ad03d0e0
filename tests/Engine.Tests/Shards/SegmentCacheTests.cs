using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class SegmentCacheTests : ShardTest
{
    private const int Shards = 3;

    private readonly DirectorySegmentStore _origin;
    private readonly CountingStore _store;
    private readonly CollectionManifest _manifest;

    public SegmentCacheTests()
    {
        _origin = new DirectorySegmentStore(Disk, Path.Combine(Root, "store"));
        _store = new CountingStore(_origin);
        _manifest = Publish(seed: 1);
    }

    private string CacheFolder => Path.Combine(Root, "cache");

    private string Local => Path.Combine(CacheFolder, "test");

    private long AllBytes => _manifest.Files.Sum(BytesOf);

    [Fact]
    public void What_a_shard_needs_is_brought_once_and_can_be_opened()
    {
        using SegmentCache cache = Open();
        Assert.Equal(Local, cache.Ensure("test", [], Work.Quiet).OrThrow());
        Assert.Equal([_manifest.Quantizer!.File], _store.Fetched);

        cache.Ensure("test", [1], Work.Quiet).OrThrow();
        cache.Ensure("test", [1], Work.Quiet).OrThrow();

        Assert.Equal([_manifest.Quantizer.File, _manifest.Shards[1].Segment, _manifest.Shards[1].Codes!], _store.Fetched);
        Assert.Equal(_store.Fetched.Sum(BytesOf), cache.Bytes);
        Assert.Equal(_store.Fetched.Append(CollectionManifest.FileName).Order(), NamesIn(Local).Order());
        foreach (string file in _store.Fetched)
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(_origin.FolderOf("test"), file)), File.ReadAllBytes(Path.Combine(Local, file)));
        }

        using Collection collection = Collection.Open(Disk, Local, new CollectionOptions { OpenShards = false }, Work.Quiet).OrThrow();
        Assert.True(collection.OpenShard(1, Work.Quiet).Ok);
        Assert.Equal(ProblemCode.NotFound, collection.OpenShard(0, Work.Quiet).Problem?.Code);
    }

    [Fact]
    public void What_the_store_does_not_have_is_refused()
    {
        using SegmentCache cache = Open();

        Assert.Equal(ProblemCode.NotFound, cache.Ensure("other", [], Work.Quiet).Problem?.Code);
        Assert.Equal(ProblemCode.NotFound, cache.Ensure("test", [0, 7], Work.Quiet).Problem?.Code);
        Assert.Empty(_store.Fetched);
        _origin.Delete("test", _manifest.Shards[2].Codes!, default);
        Assert.EndsWith(_manifest.Shards[2].Codes!, Assert.Throws<BadFileException>(() => cache.Ensure("test", [2], Work.Quiet)).Path);
        cache.Ensure("test", [0], Work.Quiet).OrThrow();
    }

    [Fact]
    public void Without_a_cache_collections_are_opened_where_the_store_has_them()
    {
        using SegmentCache cache = SegmentCache.Direct(_store);

        Assert.Equal(_origin.FolderOf("test"), cache.Ensure("test", [0, 1, 2], Work.Quiet).OrThrow());
        cache.Discard("test", 0);
        cache.Release("test", 1);

        Assert.Equal(ProblemCode.NotFound, cache.Ensure("test", [7], Work.Quiet).Problem?.Code);
        Assert.Empty(_store.Fetched);
        Assert.All(_manifest.Files, file => Assert.NotNull(_origin.LengthOf("test", file, default)));
    }

    [Fact]
    public void A_damaged_download_is_fetched_anew_once()
    {
        foreach (string file in new[] { _manifest.Quantizer!.File, _manifest.Shards[0].Segment, _manifest.Shards[0].Codes! })
        {
            foreach (Func<byte[], byte[]> damage in Damages)
            {
                Clear();
                using SegmentCache cache = Open();
                _store.Damage = (name, attempt, bytes) => name == file && attempt == 1 ? damage(bytes) : bytes;
                cache.Ensure("test", [0], Work.Quiet).OrThrow();

                Assert.Equal(2, _store.Fetched.Count(name => name == file));
                Assert.Equal(File.ReadAllBytes(Path.Combine(_origin.FolderOf("test"), file)), File.ReadAllBytes(Path.Combine(Local, file)));
            }
        }
    }

    [Fact]
    public void A_file_that_comes_damaged_twice_is_refused_by_its_place_in_the_store_and_leaves_nothing()
    {
        foreach (Func<byte[], byte[]> damage in Damages)
        {
            Clear();
            using SegmentCache cache = Open();
            string file = _manifest.Shards[0].Segment;
            _store.Damage = (name, _, bytes) => name == file ? damage(bytes) : bytes;

            Assert.Equal($"{_origin.Name}/test/{file}", Assert.Throws<BadFileException>(() => cache.Ensure("test", [0], Work.Quiet)).Path);

            Assert.DoesNotContain(NamesIn(Local), name => name.StartsWith(file, StringComparison.Ordinal));
            Assert.Equal(NamesIn(Local).Sum(name => new FileInfo(Path.Combine(Local, name)).Length), cache.Bytes);
            cache.Ensure("test", [1], Work.Quiet).OrThrow(); // the others
            _store.Damage = null;
            cache.Ensure("test", [0], Work.Quiet).OrThrow();
        }
    }

    [Fact]
    public void A_file_that_turns_out_damaged_later_is_discarded_and_brought_again()
    {
        using SegmentCache cache = Open();
        cache.Ensure("test", [0], Work.Quiet).OrThrow();
        string path = Path.Combine(Local, _manifest.Shards[0].Segment);
        byte[] good = File.ReadAllBytes(path);
        File.WriteAllBytes(path, good[..^1]);

        cache.Discard("test", 0);
        cache.Ensure("test", [0], Work.Quiet).OrThrow();

        Assert.Equal(good, File.ReadAllBytes(path));
    }

    [Fact]
    public void Calls_at_once_fetch_a_file_once()
    {
        using SegmentCache cache = Open();
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(i => new Thread(() => cache.Ensure("test", [i % 2], Work.Quiet).OrThrow()))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(5, _store.Fetched.Count);
        Assert.Equal(5, _store.Fetched.Distinct().Count());
        Assert.Equal(_store.Fetched.Sum(BytesOf), cache.Bytes);
    }

    [Fact]
    public void A_process_that_is_killed_at_any_change_of_the_disk_leaves_what_the_next_one_goes_on_from()
    {
        for (int changes = 0; ; changes++)
        {
            Clear();
            var disk = new StoppingDisk(changes);
            try
            {
                using SegmentCache dying = SegmentCache.Open(_store, disk, CacheFolder, long.MaxValue).OrThrow();
                dying.Ensure("test", [0, 2], Work.Quiet).OrThrow();
            }
            catch (StoppingDisk.StoppedException)
            {
            }

            int fetched = _store.Fetched.Count;
            using SegmentCache cache = Open();
            cache.Ensure("test", [0, 2], Work.Quiet).OrThrow();
            Assert.InRange(_store.Fetched.Count, 5, fetched == 0 ? 5 : 6); // what was complete is not fetched again
            Assert.DoesNotContain(NamesIn(Local), name => name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal));
            Assert.Equal(6, NamesIn(Local).Count());
            if (!disk.Stopped)
            {
                Assert.True(changes > 20);
                return;
            }
        }
    }

    [Fact]
    public void A_store_or_a_disk_that_fails_leaves_what_was_complete()
    {
        using SegmentCache cache = Open();
        _store.Damage = (name, _, bytes) => name.EndsWith(".codes", StringComparison.Ordinal) ? throw new IOException("connection reset") : bytes;

        Assert.Equal("connection reset", Assert.Throws<IOException>(() => cache.Ensure("test", [0], Work.Quiet)).Message);

        Assert.Equal(NamesIn(Local).Sum(name => new FileInfo(Path.Combine(Local, name)).Length), cache.Bytes);
        _store.Damage = null;
        cache.Ensure("test", [0], Work.Quiet).OrThrow();
        Assert.Equal(1, _store.Fetched.Count(name => name == _manifest.Shards[0].Segment));
    }

    [Fact]
    public void A_cancelled_download_leaves_nothing_of_the_file()
    {
        using SegmentCache cache = Open();
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(
            () => cache.Ensure("test", [0, 1, 2], new Work(1, new CancelAfter(2, stop), stop.Token)));

        Assert.DoesNotContain(NamesIn(Local), name => name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal));
        cache.Ensure("test", [0, 1, 2], Work.Quiet).OrThrow();
        Assert.Equal(AllBytes, cache.Bytes);
    }

    [Fact]
    public void Space_that_does_not_suffice_is_refused_with_need_and_have_before_anything_is_fetched()
    {
        long need = BytesOf(_manifest.Quantizer!.File) + ShardBytes(0) + ShardBytes(1);
        using SegmentCache cache = Open(need - 1);
        cache.Ensure("test", [0], Work.Quiet).OrThrow();

        Problem? problem = cache.Ensure("test", [1], Work.Quiet).Problem;

        Assert.Equal((ProblemCode.NotEnoughSpace, $"need {need} bytes, have {need - 1}"), (problem!.Code, problem.Got));
        Assert.Equal(3, _store.Fetched.Count);
        cache.Release("test", 0);
        cache.Ensure("test", [1], Work.Quiet).OrThrow(); // in its place
        Assert.False(File.Exists(Path.Combine(Local, _manifest.Shards[0].Segment)) && File.Exists(Path.Combine(Local, _manifest.Shards[0].Codes!)));
        Assert.InRange(cache.Bytes, 1, need - 1);
    }

    [Fact]
    public void Of_what_nobody_needs_that_goes_first_which_was_needed_longest_ago()
    {
        using (SegmentCache first = Open(AllBytes))
        {
            first.Ensure("test", [0, 1, 2], Work.Quiet).OrThrow();
            Array.ForEach([2, 0, 1], shard => first.Release("test", shard));
            Assert.Equal(AllBytes, first.Bytes); // it stays until its bytes are wanted
        }

        using SegmentCache cache = Open(AllBytes);
        Assert.Equal(AllBytes, cache.Bytes); // also for the next process
        Array.ForEach([0, 2, 1], shard => cache.Ensure("test", [shard], Work.Quiet).OrThrow());
        Array.ForEach([0, 1, 2], shard => cache.Release("test", shard));
        Assert.Equal(7, _store.Fetched.Count);
        Publish(seed: 2, name: "another", shards: 1, count: 20);

        cache.Ensure("another", [0], Work.Quiet).OrThrow();

        Assert.InRange(cache.Bytes, 1, AllBytes);
        Assert.False(File.Exists(Path.Combine(Local, _manifest.Shards[0].Segment)));
        Assert.True(File.Exists(Path.Combine(Local, _manifest.Shards[1].Segment)));
    }

    [Fact]
    public void What_is_borrowed_stays_until_it_is_returned_and_what_was_asked_for_stays_after_that()
    {
        long two = BytesOf(_manifest.Quantizer!.File) + Enumerable.Range(0, Shards).Select(ShardBytes).OrderDescending().Take(2).Sum();
        using SegmentCache cache = Open(two);
        cache.Ensure("test", [0], Work.Quiet).OrThrow();
        cache.Borrow("test", [0, 1], null, Work.Quiet).OrThrow();
        cache.Release("test", 0);
        Assert.Equal(ProblemCode.NotEnoughSpace, cache.Ensure("test", [2], Work.Quiet).Problem?.Code);

        cache.Ensure("test", [1], Work.Quiet).OrThrow();
        cache.Return("test");
        cache.Ensure("test", [2], Work.Quiet).OrThrow();

        Assert.DoesNotContain(_manifest.Shards[0].Segment, NamesIn(Local));
        Assert.All(FilesOf(_manifest, 1, 2), file => Assert.Contains(file, NamesIn(Local)));
        Assert.Equal(ProblemCode.NotEnoughSpace, cache.Borrow("test", [0], null, Work.Quiet).Problem?.Code);
        cache.Return("test");
        Assert.Equal(ProblemCode.NotEnoughSpace, cache.Ensure("test", [0], Work.Quiet).Problem?.Code); // 1 is still in use
    }

    [Fact]
    public void A_new_manifest_brings_its_files_for_the_shards_in_use_and_sweeps_those_that_none_names_any_more()
    {
        using SegmentCache cache = Open();
        cache.Ensure("test", [0, 1], Work.Quiet).OrThrow();
        CollectionManifest next = Publish(seed: 2);
        string coming = Path.Combine(Local, CollectionFiles.Codes("any", "coming"));
        File.Copy(Path.Combine(Local, _manifest.Shards[0].Codes!), coming); // by a training that has not ended

        cache.Ensure("test", [], Work.Quiet).OrThrow();

        Assert.True(next.IsSame(ManifestFile.Open(Disk, Local).OrThrow()));
        Assert.All(FilesOf(next, 0, 1), file => Assert.True(File.Exists(Path.Combine(Local, file))));
        Assert.All(FilesOf(_manifest, 0, 1), file => Assert.True(File.Exists(Path.Combine(Local, file)))); // may be in use until the next call
        cache.Ensure("test", [], Work.Quiet).OrThrow();
        Assert.All(FilesOf(_manifest, 0, 1), file => Assert.False(File.Exists(Path.Combine(Local, file))));
        Assert.True(File.Exists(coming));
        cache.Dispose();

        using SegmentCache restarted = Open();
        restarted.Ensure("test", [0], Work.Quiet).OrThrow();
        Assert.False(File.Exists(coming)); // its training ended with its process
        Assert.Equal(FilesOf(next, 0, 1).Sum(BytesOf), restarted.Bytes);
    }

    [Fact]
    public void A_manifest_that_is_replaced_while_its_files_are_fetched_is_read_again()
    {
        using SegmentCache cache = Open();
        CollectionManifest? next = null;
        _store.Damage = (name, _, bytes) =>
        {
            if (next is null)
            {
                next = Publish(seed: 2);
                Array.ForEach([.. _manifest.Files], file => _origin.Delete("test", file, default));
            }

            return bytes;
        };

        cache.Ensure("test", [1], Work.Quiet).OrThrow();

        Assert.True(next!.IsSame(ManifestFile.Open(Disk, Local).OrThrow()));
        Assert.All(FilesOf(next, 1), file => Assert.True(File.Exists(Path.Combine(Local, file))));
    }

    [Fact]
    public void A_folder_serves_one_cache_at_a_time()
    {
        using (Open())
        {
            Assert.Equal(ProblemCode.Busy, SegmentCache.Open(_store, Disk, CacheFolder, 1).Problem?.Code);
        }

        using SegmentCache next = Open();
    }

    private static Func<byte[], byte[]>[] Damages =>
    [
        bytes => bytes[..^1], bytes => bytes[..10], _ => [], bytes => [.. bytes, 0],
        bytes => [.. bytes[..(bytes.Length / 2)], (byte)(bytes[bytes.Length / 2] ^ 1), .. bytes[((bytes.Length / 2) + 1)..]],
    ];

    private static IEnumerable<string> FilesOf(CollectionManifest manifest, params int[] shards) =>
        shards.SelectMany(shard => new[] { manifest.Shards[shard].Segment, manifest.Shards[shard].Codes! }).Append(manifest.Quantizer!.File);

    private SegmentCache Open(long limit = long.MaxValue) => SegmentCache.Open(_store, Disk, CacheFolder, limit).OrThrow();

    private void Clear()
    {
        _store.Fetched.Clear();
        _store.Damage = null;
        if (Directory.Exists(CacheFolder))
        {
            Directory.Delete(CacheFolder, recursive: true);
        }
    }

    private long BytesOf(string file) => _origin.LengthOf("test", file, default)!.Value;

    private long ShardBytes(int shard) => BytesOf(_manifest.Shards[shard].Segment) + BytesOf(_manifest.Shards[shard].Codes!);

    private CollectionManifest Publish(ulong seed, string name = "test", int shards = Shards, int count = 300)
    {
        using VectorBlock vectors = Bytes(count, seed: seed);
        string folder = Path.Combine(Root, $"built-{name}-{seed}");
        Build(
            vectors, Options(shards) with { Name = name, Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256 } },
            folder: folder);
        return CollectionPublisher.Publish(Disk, folder, _origin, overwrite: true, Work.Quiet).OrThrow().Manifest;
    }
}
