using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// The bytes that the files of a cache take, and what has to go when more are wanted: of the files that nobody needs, the one that was
/// needed longest ago. Thread-safe.
/// </summary>
internal sealed class CacheSpace(IDisk disk, string folder, long limit)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _files = [];
    private long _uses;

    /// <summary>Bytes of all files, those that are coming included.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _files.Values.Sum(file => file.Bytes);
            }
        }
    }

    /// <summary>Counts a file that is on the disk, unless it is counted already.</summary>
    public void Found(string path)
    {
        lock (_lock)
        {
            if (!_files.ContainsKey(path))
            {
                using IFileReader file = disk.OpenRead(path);
                _files.Add(path, new Entry(file.Length));
            }
        }
    }

    /// <summary>Keeps a file from going, until <see cref="Release"/>; false where it is not there.</summary>
    public bool Need(string path)
    {
        lock (_lock)
        {
            if (!_files.TryGetValue(path, out Entry? file))
            {
                return false;
            }

            file.IsNeeded = true;
            file.UsedAt = ++_uses;
            return true;
        }
    }

    /// <summary>Makes room for files that are needed and not there, and counts them: what nobody needs goes.</summary>
    /// <returns>Why there cannot be room; then nothing is changed.</returns>
    public Problem? Take(IReadOnlyCollection<(string Path, long Bytes)> coming)
    {
        lock (_lock)
        {
            long more = coming.Sum(file => file.Bytes);
            long need = more + _files.Values.Where(file => file.IsNeeded).Sum(file => file.Bytes);
            if (need > limit)
            {
                return new Problem(
                    ProblemCode.NotEnoughSpace, $"cache {folder}", $"need {need} bytes, have {limit}", "shards that fit",
                    "Give it more bytes, or let other silos hold some of the shards.");
            }

            long over = more + _files.Values.Sum(file => file.Bytes) - limit;
            foreach ((string path, Entry file) in _files.Where(file => !file.Value.IsNeeded).OrderBy(file => file.Value.UsedAt).ToList())
            {
                if (over <= 0)
                {
                    break;
                }

                Remove(path);
                over -= file.Bytes;
            }

            foreach ((string path, long bytes) in coming)
            {
                _files[path] = new Entry(bytes) { IsNeeded = true, UsedAt = ++_uses };
            }

            return null;
        }
    }

    /// <summary>Lets files go when their bytes are wanted.</summary>
    public void Release(IEnumerable<string> paths)
    {
        lock (_lock)
        {
            foreach (string path in paths)
            {
                if (_files.TryGetValue(path, out Entry? file))
                {
                    file.IsNeeded = false;
                }
            }
        }
    }

    /// <summary>Removes a file, needed or not, there or not.</summary>
    public void Remove(string path)
    {
        lock (_lock)
        {
            disk.Delete(path);
            _files.Remove(path);
        }
    }

    /// <summary>Counts a file no more that did not come.</summary>
    public void Forget(string path)
    {
        lock (_lock)
        {
            _files.Remove(path);
        }
    }

    private sealed class Entry(long bytes)
    {
        public long Bytes => bytes;

        public bool IsNeeded { get; set; }

        public long UsedAt { get; set; }
    }
}
