using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Storage;

public sealed unsafe class FileDiskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("signpost-disk-").FullName;
    private readonly FileDisk _disk = FileDisk.Instance;

    [Fact]
    public void Bytes_come_back_where_they_were_written()
    {
        string path = Path.Combine(_folder, "f");
        using (IFileWriter writer = _disk.Create(path, 10))
        {
            writer.Write(6, "world"u8);
            writer.Write(0, "hello "u8);
            writer.Sync();
        }

        MappedBytes mapped;
        using (IFileReader reader = _disk.OpenRead(path))
        {
            Assert.Equal(11, reader.Length);
            byte[] bytes = new byte[20];
            Assert.Equal(8, reader.Read(3, bytes));
            Assert.Equal("lo world"u8.ToArray(), bytes[..8]);
            Assert.Equal(0, reader.Read(11, bytes));
            mapped = reader.Map(6, 5);
            Assert.Equal(0, reader.Map(11, 0).Length);
        }

        Assert.Equal("world"u8.ToArray(), new ReadOnlySpan<byte>(mapped.Pointer, 5).ToArray()); // a mapping outlives its reader
        mapped.Dispose();
        mapped.Dispose();
    }

    [Fact]
    public void An_existing_file_is_never_created_over_but_replaced()
    {
        string a = Write("a", 1);
        string b = Write("b", 2);
        Assert.Throws<IOException>(() => _disk.Create(a, 0));
        _disk.Replace(b, a);
        Assert.Equal([2], File.ReadAllBytes(a));
        Assert.Equal(["a"], _disk.List(_folder));
    }

    [Fact]
    public void Names_are_listed_in_order_and_a_missing_folder_has_none()
    {
        Write("b", 1);
        Write("B", 1);
        Write("a", 1);
        Directory.CreateDirectory(Path.Combine(_folder, "folder"));
        Assert.Equal(OperatingSystem.IsLinux() ? ["B", "a", "b"] : ["a", "b"], _disk.List(_folder));
        Assert.Empty(_disk.List(Path.Combine(_folder, "missing")));
    }

    [Fact]
    public void Folders_are_created_with_those_above_them()
    {
        string deep = Path.Combine(_folder, "x", "y", "z");
        _disk.CreateFolder(deep);
        _disk.CreateFolder(deep);
        Assert.True(Directory.Exists(deep));
        _disk.SyncFolder(deep);
    }

    [Fact]
    public void What_is_missing_says_so()
    {
        string missing = Path.Combine(_folder, "missing");
        Assert.Throws<FileNotFoundException>(() => _disk.OpenRead(missing));
        _disk.Delete(missing);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Throws<IOException>(() => _disk.SyncFolder(missing));
        }
    }

    [Fact]
    public void Two_writers_of_one_path_leave_one_whole_file()
    {
        string path = Path.Combine(_folder, "f");
        new Work(8).For("writing", 64, 1, (i, _, _) =>
            AtomicFile.Write(_disk, path, 0, file => file.Write(0, Enumerable.Repeat((byte)i, 10_000).ToArray())));
        byte[] left = File.ReadAllBytes(path);
        Assert.Equal(10_000, left.Length);
        Assert.Single(left.Distinct());
        Assert.Equal(["f"], _disk.List(_folder));
    }

    // 2^24 vertices are the first that do not fit ids of 3 bytes.
    [Fact]
    public void A_graph_with_ids_of_four_bytes_comes_back()
    {
        const uint Count = 0x100_0000;
        using Graph graph = Graph.Allocate(Count, 1, Count - 1);
        Assert.Equal(4, graph.IdBytes);
        graph.SetNeighbours(0, [Count - 1]);
        graph.SetNeighbours(Count - 1, [12_345]);
        using VectorBlock vectors = VectorBlock.Allocate(1, 1, ElementType.UInt8);
        string path = Path.Combine(_folder, "big");
        SegmentWriter.Write(_disk, path, Content(vectors, new long[Count], graph), Work.Quiet);
        using (Segment segment = Segment.Open(_disk, path, new SegmentLoad(), new Work(2)).OrThrow())
        {
            uint[] neighbours = new uint[1];
            Assert.Equal((Count, Count - 1), (segment.Graph.Count, segment.Graph.Entry));
            Assert.Equal(1, segment.Graph.Neighbours(0, neighbours));
            Assert.Equal(Count - 1, neighbours[0]);
            Assert.Equal(1, segment.Graph.Neighbours(Count - 1, neighbours));
            Assert.Equal(12_345u, neighbours[0]);
            Assert.Equal(0, segment.Graph.Neighbours(1, neighbours));
            Assert.Equal(Count - 1, segment.Ids[Count - 1]);
        }
    }

    // Nearly all of it is zeros, which the sparse disk does not store.
    [Fact]
    public void A_file_of_more_than_2_GB_is_written_and_read()
    {
        const int Count = 33_000;
        const int Dim = 65_536;
        using Graph graph = Graph.Allocate(Count, 1, 0);
        using VectorBlock vectors = VectorBlock.Allocate(2, Dim, ElementType.UInt8);
        new Span<byte>(vectors.Row(1), Dim).Fill(42);
        long[] order = new long[Count];
        order[^1] = 1;
        string path = Path.Combine(_folder, "large");
        SegmentWriter.Write(new SparseDisk(), path, Content(vectors, order, graph), Work.Quiet);
        Assert.True(new FileInfo(path).Length > int.MaxValue);
        using Segment segment = Segment.Open(_disk, path, new SegmentLoad(), Work.Quiet).OrThrow();
        Assert.True(segment.Memory.Resident < 1 << 20);
        Assert.True(segment.Memory.VectorsMapped > int.MaxValue);
        Assert.Equal(-1, segment.Vectors.RowSpan(Count - 2).IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, segment.Vectors.RowSpan(Count - 1).IndexOfAnyExcept((byte)42));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SegmentContent Content(VectorBlock vectors, long[] order, Graph graph)
    {
        ulong[] ids = new ulong[order.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = (ulong)i;
        }

        return new SegmentContent
        {
            Vectors = vectors,
            Order = order,
            Ids = ids,
            Graph = graph,
            Metric = Metric.L2,
            SlotFrom = 0,
            SlotTo = SegmentInfo.SlotCount,
            Build = new BuildInfo(1, 2, 3, BuildInfo.RunningVersion),
        };
    }

    private string Write(string name, byte value)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, [value]);
        return path;
    }

    [Fact]
    public void A_lock_has_one_holder_and_is_free_again_when_it_lets_go()
    {
        string path = Path.Combine(_folder, "lock");
        for (int round = 0; round < 2; round++)
        {
            using (IDisposable? held = FileDisk.Instance.TryLock(path))
            {
                Assert.NotNull(held);
                Assert.Null(FileDisk.Instance.TryLock(path));
            }
        }

        Assert.Throws<DirectoryNotFoundException>(() => FileDisk.Instance.TryLock(Path.Combine(_folder, "none", "lock")));
    }

    private sealed class SparseDisk : IDisk
    {
        public IFileReader OpenRead(string path) => FileDisk.Instance.OpenRead(path);

        public IFileWriter Create(string path, long expectedBytes) => new Writer(FileDisk.Instance.Create(path, 0));

        public void Replace(string from, string to) => FileDisk.Instance.Replace(from, to);

        public void Delete(string path) => FileDisk.Instance.Delete(path);

        public IReadOnlyList<string> List(string folder) => FileDisk.Instance.List(folder);

        public IReadOnlyList<string> ListFolders(string folder) => FileDisk.Instance.ListFolders(folder);

        public void CreateFolder(string folder) => FileDisk.Instance.CreateFolder(folder);

        public IDisposable? TryLock(string path) => FileDisk.Instance.TryLock(path);

        public void SyncFolder(string folder) => FileDisk.Instance.SyncFolder(folder);

        private sealed class Writer(IFileWriter inner) : IFileWriter
        {
            public void Write(long offset, ReadOnlySpan<byte> data)
            {
                if (data.IndexOfAnyExcept((byte)0) >= 0)
                {
                    inner.Write(offset, data);
                }
            }

            public void Sync() => inner.Sync();

            public void Dispose() => inner.Dispose();
        }
    }
}
