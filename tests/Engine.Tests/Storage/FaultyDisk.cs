using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Storage;

/// <summary>What a disk may have lost at a power loss; everything that was synced is kept in all cases.</summary>
public enum Loss
{
    /// <summary>Only the process died.</summary>
    Nothing,

    /// <summary>Contents reached the device, names did not.</summary>
    UnsyncedNames,

    /// <summary>Names reached the device, contents did not.</summary>
    UnsyncedContents,

    /// <summary>Names reached the device, and of the contents every other sector.</summary>
    HalfOfUnsyncedContents,

    Everything,
}

/// <summary>A disk in memory that knows what is synced, stops or fails where told, and can be damaged.</summary>
public sealed class FaultyDisk : IDisk
{
    private const int SectorBytes = 512;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Content> _names;
    private readonly Dictionary<string, Content> _durableNames;

    public FaultyDisk()
        : this([])
    {
    }

    private FaultyDisk(Dictionary<string, Content> names)
    {
        _names = names;
        _durableNames = new(names);
    }

    /// <summary>Changing calls so far.</summary>
    public int Steps { get; private set; }

    /// <summary>The step (from 1) at which the power goes: a write is torn, and nothing works from then on.</summary>
    public int StopAt { get; set; } = int.MaxValue;

    /// <summary>The step (from 1) that fails, as a full disk does; the disk goes on.</summary>
    public int FailAt { get; set; } = int.MaxValue;

    public long BytesRead { get; private set; }

    /// <summary>Files and mappings that are open.</summary>
    public int OpenHandles { get; private set; }

    public static IEnumerable<Loss> Losses => Enum.GetValues<Loss>();

    public byte[] this[string path]
    {
        get => [.. _names[Path.GetFullPath(path)].Live];
        set => _names[Path.GetFullPath(path)] = _durableNames[Path.GetFullPath(path)] = new Content { Live = value, Durable = value };
    }

    public bool Exists(string path) => _names.ContainsKey(Path.GetFullPath(path));

    /// <summary>The disk as the next process finds it.</summary>
    public FaultyDisk AfterCrash(Loss loss)
    {
        bool keepNames = loss is not (Loss.UnsyncedNames or Loss.Everything);
        var names = new Dictionary<string, Content>();
        foreach ((string path, Content content) in keepNames ? _names : _durableNames)
        {
            byte[] left = loss switch
            {
                Loss.Nothing or Loss.UnsyncedNames => content.Live,
                Loss.HalfOfUnsyncedContents => Torn(content),
                _ => content.Durable,
            };
            names[path] = new Content { Live = left, Durable = left };
        }

        return new FaultyDisk(names);
    }

    public IFileReader OpenRead(string path)
    {
        lock (_lock)
        {
            Alive();
            if (!_names.TryGetValue(Path.GetFullPath(path), out Content? content))
            {
                throw new FileNotFoundException("no such file", path);
            }

            OpenHandles++;
            return new Reader(this, content.Live);
        }
    }

    public IFileWriter Create(string path, long expectedBytes)
    {
        lock (_lock)
        {
            Step();
            var content = new Content();
            if (!_names.TryAdd(Path.GetFullPath(path), content))
            {
                throw new IOException($"{path} exists");
            }

            OpenHandles++;
            return new Writer(this, content);
        }
    }

    public void Replace(string from, string to) => Change(() =>
    {
        Assert.Equal(Path.GetDirectoryName(Path.GetFullPath(from)), Path.GetDirectoryName(Path.GetFullPath(to)));
        _names.Remove(Path.GetFullPath(from), out Content? content);
        _names[Path.GetFullPath(to)] = content ?? throw new FileNotFoundException("no such file", from);
    });

    public void Delete(string path) => Change(() => _names.Remove(Path.GetFullPath(path)));

    public IReadOnlyList<string> List(string folder)
    {
        lock (_lock)
        {
            Alive();
            return [.. _names.Keys.Where(p => InFolder(p, folder)).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];
        }
    }

    public IReadOnlyList<string> ListFolders(string folder) => [];

    public void CreateFolder(string folder) => Change(() => { });

    public IDisposable? TryLock(string path) => throw new NotSupportedException();

    public void SyncFolder(string folder) => Change(() =>
    {
        foreach (string path in _durableNames.Keys.Where(p => InFolder(p, folder)).ToList())
        {
            _durableNames.Remove(path);
        }

        foreach ((string path, Content content) in _names.Where(n => InFolder(n.Key, folder)))
        {
            _durableNames[path] = content;
        }
    });

    private static bool InFolder(string path, string folder) => Path.GetDirectoryName(path) == Path.GetFullPath(folder);

    private static byte[] Torn(Content content)
    {
        byte[] torn = new byte[content.Live.Length];
        content.Durable.AsSpan(0, Math.Min(content.Durable.Length, torn.Length)).CopyTo(torn);
        for (int from = 0; from < torn.Length; from += 2 * SectorBytes)
        {
            int length = Math.Min(SectorBytes, torn.Length - from);
            content.Live.AsSpan(from, length).CopyTo(torn.AsSpan(from));
        }

        return torn;
    }

    private void Alive()
    {
        if (Steps >= StopAt)
        {
            throw new IOException("the disk has stopped");
        }
    }

    private void Step()
    {
        Alive();
        Steps++;
        Alive();
        if (Steps == FailAt)
        {
            throw new IOException("no space left on device");
        }
    }

    private void Change(Action change)
    {
        lock (_lock)
        {
            Step();
            change();
        }
    }

    private sealed class Content
    {
        public byte[] Live { get; set; } = [];

        public byte[] Durable { get; set; } = [];

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            byte[] next = new byte[Math.Max(Live.Length, offset + data.Length)];
            Live.CopyTo(next, 0);
            data.CopyTo(next.AsSpan((int)offset));
            Live = next;
        }
    }

    private sealed class Writer(FaultyDisk disk, Content content) : IFileWriter
    {
        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            lock (disk._lock)
            {
                if (disk.Steps + 1 == disk.StopAt)
                {
                    content.Write(offset, data[..(data.Length / 2)]); // the write that the power loss tears
                }

                disk.Step();
                content.Write(offset, data);
            }
        }

        public void Sync() => disk.Change(() => content.Durable = content.Live);

        public void Dispose() => disk.OpenHandles--;
    }

    private sealed class Reader(FaultyDisk disk, byte[] bytes) : IFileReader
    {
        public long Length => bytes.Length;

        public int Read(long offset, Span<byte> target)
        {
            lock (disk._lock)
            {
                int length = (int)Math.Clamp(bytes.Length - offset, 0, target.Length);
                bytes.AsSpan((int)Math.Min(offset, bytes.Length), length).CopyTo(target);
                disk.BytesRead += length;
                return length;
            }
        }

        public unsafe MappedBytes Map(long offset, long length)
        {
            lock (disk._lock)
            {
                disk.OpenHandles++;
                var buffer = new AlignedBuffer(length);
                bytes.AsSpan((int)offset, (int)length).CopyTo(new Span<byte>(buffer.Pointer, (int)length));
                return new MappedBytes(buffer.Pointer, length, new Mapping(disk, buffer));
            }
        }

        public void Dispose()
        {
            lock (disk._lock)
            {
                disk.OpenHandles--;
            }
        }
    }

    private sealed class Mapping(FaultyDisk disk, AlignedBuffer buffer) : IDisposable
    {
        private bool _disposed;

        public void Dispose()
        {
            lock (disk._lock)
            {
                disk.OpenHandles -= _disposed ? 0 : 1;
                _disposed = true;
                buffer.Dispose();
            }
        }
    }
}
