using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Storage;

/// <summary>What every segment store promises; a class for each store runs it.</summary>
public abstract class SegmentStoreContract : IDisposable
{
    private static readonly byte[] Manifest = "{\"any\":1}\n"u8.ToArray();

    /// <summary>An empty store, made anew for each test.</summary>
    protected abstract ISegmentStore Store { get; }

    /// <summary>Bytes of files that are worth trying.</summary>
    protected virtual int[] Lengths => [0, 1, 1000, (2 << 20) + 3];

    public virtual void Dispose() => GC.SuppressFinalize(this);

    [Fact]
    public void What_was_put_comes_back_byte_for_byte()
    {
        foreach (int length in Lengths)
        {
            byte[] bytes = Bytes(length, (ulong)length);
            Put("one", $"file-{length}", bytes);

            Assert.Equal(length, Store.LengthOf("one", $"file-{length}", default));
            Assert.Equal(bytes, Get("one", $"file-{length}"));
        }

        Assert.Equal(Bytes(Lengths[^1], (ulong)Lengths[^1]), Get("one", $"file-{Lengths[^1]}"));
    }

    [Fact]
    public void What_is_not_there_is_told_apart_from_a_failure()
    {
        Put("one", "file", [1]);

        Assert.Null(Store.ReadManifest("none", default));
        Assert.Null(Store.ReadManifest("one", default));
        Assert.Null(Store.LengthOf("none", "file", default));
        Assert.Null(Store.LengthOf("one", "fil", default));
        Assert.Throws<FileNotFoundException>(() => Get("none", "file"));
        Assert.Throws<FileNotFoundException>(() => Get("one", "fil"));
    }

    [Fact]
    public void The_collections_are_those_with_a_manifest_in_ordinal_order()
    {
        Assert.Empty(Store.Collections(default));
        foreach (string name in (string[])["b", "a.long-name_1", "B", "c2"])
        {
            Put(name, "file", [1]);
            Assert.True(Store.TryReplaceManifest(name, null, Manifest, default));
        }

        Put("unfinished", "file", [1]);

        Assert.Equal(["B", "a.long-name_1", "b", "c2"], Store.Collections(default));
        Store.Delete("b", CollectionManifest.FileName, default);
        Assert.Equal(["B", "a.long-name_1", "c2"], Store.Collections(default));
        Assert.Null(Store.ReadManifest("b", default));
    }

    [Fact]
    public void A_manifest_is_seen_whole_the_old_one_or_the_new_one()
    {
        byte[][] versions = [.. Enumerable.Range(1, 12).Select(version => Enumerable.Repeat((byte)version, 10_000 * version).ToArray())];
        Assert.True(Store.TryReplaceManifest("one", null, versions[0], default));
        using var ended = new ManualResetEventSlim();
        Exception? failure = null;
        long reads = 0;
        Thread[] readers = [.. Enumerable.Range(0, 2).Select(_ => new Thread(() => Read()))];
        Array.ForEach(readers, reader => reader.Start());
        for (int i = 1; failure is null && (i < 24 || (Interlocked.Read(ref reads) < 20 && i < 10_000)); i++)
        {
            byte[] next = versions[i % versions.Length];
            Assert.True(Store.TryReplaceManifest("one", versions[(i - 1) % versions.Length], next, default));
            Assert.Equal(next, Store.ReadManifest("one", default));
        }

        ended.Set();
        Array.ForEach(readers, reader => reader.Join());
        Assert.Null(failure);

        void Read()
        {
            try
            {
                while (!ended.IsSet)
                {
                    byte[] read = Store.ReadManifest("one", default)!;
                    Assert.Equal(versions[read[0] - 1], read);
                    Interlocked.Increment(ref reads);
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        }
    }

    [Fact]
    public void A_manifest_is_replaced_only_where_it_is_the_one_that_the_writer_began_with()
    {
        Assert.False(Store.TryReplaceManifest("one", Manifest, [1], default));
        Assert.Null(Store.ReadManifest("one", default));
        Assert.True(Store.TryReplaceManifest("one", null, Manifest, default));
        Assert.False(Store.TryReplaceManifest("one", null, [1], default));
        Assert.False(Store.TryReplaceManifest("one", [.. Manifest, 0], [1], default));
        Assert.Equal(Manifest, Store.ReadManifest("one", default));
        Assert.True(Store.TryReplaceManifest("one", Manifest, [1], default));
        Assert.Equal([1], Store.ReadManifest("one", default));
    }

    /// <summary>Each thread counts one up, many times, as long as nobody comes between reading and replacing: no step may be lost.</summary>
    [Fact]
    public void Of_writers_that_began_with_the_same_manifest_one_succeeds()
    {
        const int Threads = 4, Steps = 15;
        Assert.True(Store.TryReplaceManifest("one", null, [0, 0], default));
        int refused = 0;
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() => Count((byte)number)))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Null(failure);
        Assert.Equal(Threads * Steps, Store.ReadManifest("one", default)![0]);

        void Count(byte thread)
        {
            try
            {
                for (int done = 0; done < Steps && refused < 10_000;)
                {
                    byte[] before = Store.ReadManifest("one", default)!;
                    bool isFirst = Store.TryReplaceManifest("one", before, [(byte)(before[0] + 1), thread], default);
                    done += isFirst ? 1 : 0;
                    Interlocked.Add(ref refused, isFirst ? 0 : 1);
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        }
    }

    [Fact]
    public void A_deleted_file_is_gone_and_nothing_else_is()
    {
        Put("one", "a", [1]);
        Put("one", "ab", [2]);

        Store.Delete("one", "a", default);
        Store.Delete("one", "a", default);
        Store.Delete("none", "a", default);

        Assert.Null(Store.LengthOf("one", "a", default));
        Assert.Equal([2], Get("one", "ab"));
    }

    [Fact]
    public void Putting_a_file_again_changes_nothing()
    {
        byte[] bytes = Bytes(5000, 1);
        Put("one", "a", bytes);
        Put("one", "a", bytes);

        Assert.Equal(bytes, Get("one", "a"));
    }

    [Fact]
    public void A_put_that_fails_or_is_cancelled_leaves_nothing_to_see()
    {
        using var cancel = new CancellationTokenSource();
        byte[] bytes = Bytes(Lengths[^1], 1);
        var failing = new HookedFile(bytes) { AtRead = offset => throw (offset > 0 ? new IOException("the disk is gone") : new IOException("at once")) };
        var cancelled = new HookedFile(bytes) { AtRead = _ => cancel.Cancel() };

        Assert.ThrowsAny<IOException>(() => Store.Put("one", "failing", failing, default));
        Assert.ThrowsAny<OperationCanceledException>(() => Store.Put("one", "cancelled", cancelled, cancel.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => Store.TryReplaceManifest("one", null, Manifest, cancel.Token));

        Assert.Null(Store.LengthOf("one", "failing", default));
        Assert.Null(Store.LengthOf("one", "cancelled", default));
        Assert.Null(Store.ReadManifest("one", default));
        Put("one", "failing", bytes); // again
        Assert.Equal(bytes, Get("one", "failing"));
    }

    [Fact]
    public void A_get_is_cancelled_between_two_pieces()
    {
        Put("one", "a", Bytes(Lengths[^1], 1));
        using var cancel = new CancellationTokenSource();
        var target = new HookedFile([]) { AtWrite = _ => cancel.Cancel() };

        Assert.ThrowsAny<OperationCanceledException>(() => Store.Get("one", "a", target, cancel.Token));

        Assert.InRange(target.Bytes.Length, 1, Lengths[^1] - 1);
    }

    [Fact]
    public void A_name_that_leads_elsewhere_is_never_used()
    {
        foreach (string name in (string[])["..", "../a", "a/b", "", ".hidden", "a\\b", "a\n"])
        {
            Assert.Throws<CheckFailedException>(() => Get("one", name));
            Assert.Throws<CheckFailedException>(() => Store.ReadManifest(name, default));
            Assert.Throws<CheckFailedException>(() => Store.Delete(name, "a", default));
        }

        Assert.Throws<CheckFailedException>(() => Put("one", CollectionManifest.FileName, [1])); // only in one step
    }

    [Fact]
    public void Many_threads_put_and_get_at_once()
    {
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(thread => new Thread(() =>
        {
            try
            {
                for (int i = 0; i < 5; i++)
                {
                    byte[] bytes = Bytes(20_000, (ulong)i);
                    Put("one", $"shared-{i}", bytes); // the same by all
                    Put("one", $"own-{thread}-{i}", bytes);
                    Assert.Equal(bytes, Get("one", $"shared-{i}"));
                    Assert.Equal(bytes, Get("one", $"own-{thread}-{i}"));
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Null(failure);
    }

    protected static byte[] Bytes(int count, ulong seed)
    {
        var random = new Seeded(seed, 0);
        var bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            bytes[i] = (byte)random.Next(256);
        }

        return bytes;
    }

    protected void Put(string collection, string file, byte[] bytes) => Store.Put(collection, file, new HookedFile(bytes), default);

    protected byte[] Get(string collection, string file)
    {
        var target = new HookedFile([]);
        Store.Get(collection, file, target, default);
        return target.Bytes;
    }
}

/// <summary>A file in memory, at whose reads and writes something may happen.</summary>
public sealed class HookedFile(byte[] bytes) : IFileReader, IFileWriter
{
    private readonly MemoryFile _file = new(bytes);

    public byte[] Bytes => _file.ToArray();

    public Action<long>? AtRead { get; init; }

    public Action<long>? AtWrite { get; init; }

    public long Length => _file.Length;

    public int Read(long offset, Span<byte> target)
    {
        AtRead?.Invoke(offset);
        return _file.Read(offset, target);
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        _file.Write(offset, data);
        AtWrite?.Invoke(offset);
    }

    public MappedBytes Map(long offset, long length) => _file.Map(offset, length);

    public void Sync() => _file.Sync();

    public void Dispose() => _file.Dispose();
}
