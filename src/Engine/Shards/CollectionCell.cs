using Signpost.Engine.Base;

namespace Signpost.Engine.Shards;

/// <summary>The one place where the state of a collection changes: each change is short, and makes a new <see cref="CollectionState"/>.</summary>
internal sealed class CollectionCell(CollectionPlace place, CollectionState first)
{
    private readonly Lock _change = new();
    private volatile CollectionState _state = first;
    private long _arriving;
    private bool _isClosed;

    /// <summary>How it is now.</summary>
    public CollectionState State => _state;

    /// <summary>Bytes of the shard that is being opened; to be set to 0 when it is open, or is not.</summary>
    public long Arriving
    {
        set => Interlocked.Exchange(ref _arriving, value);
    }

    /// <summary>Why <paramref name="more"/> bytes beside what is open are too many; null when they are not.</summary>
    public Problem? CheckMemory(long more, string? mend = null) =>
        place.CheckMemory(_state.Manifest.Name, _state.Memory.Resident + Interlocked.Read(ref _arriving) + more, mend);

    /// <summary>Puts <paramref name="shard"/> in its place, or none for a reason; returns what was there.</summary>
    public Shard? Replace(int number, Shard? shard, string? reason)
    {
        lock (_change)
        {
            CollectionShard old = _state.Find(number)!;
            _state = _state.With(old with { Shard = shard, Reason = reason });
            return old.Shard;
        }
    }

    /// <summary>Closes a shard; returns what was open where no other shard shares it.</summary>
    public Shard? Close(int number, string reason)
    {
        lock (_change)
        {
            Shard? open = _state.Find(number)?.Shard is null ? null : Replace(number, null, reason);
            return open is null || _state.Open.Contains(open) ? null : open;
        }
    }

    /// <summary>Opens a shard by what is open of its segment already; null where nothing is.</summary>
    public Shard? TryShare(Storage.ManifestShard entry)
    {
        lock (_change)
        {
            if (_state.OpenOf(entry.Segment) is not { } open)
            {
                return null;
            }

            Replace(entry.Id, open, null);
            return open;
        }
    }

    /// <summary>Shards that only <paramref name="next"/> names can be opened from now on.</summary>
    public void Know(Storage.CollectionManifest next)
    {
        lock (_change)
        {
            _state = _state.Knowing(next);
        }
    }

    /// <summary>Adds a shard that has the codes of <paramref name="seen"/>; false where others took their place by now.</summary>
    /// <exception cref="ObjectDisposedException">The collection has been disposed.</exception>
    public bool TryAdd(int number, Shard shard, CollectionState seen)
    {
        lock (_change)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(Collection));
            bool isRight = _state.HasCodesOf(seen);
            if (isRight)
            {
                Replace(number, shard, null);
            }

            return isRight;
        }
    }

    /// <summary>Tells shards that are opened from now on which codes they need beside those in use; returns what was told before.</summary>
    public CollectionCodes? Expect(CollectionCodes? coming)
    {
        lock (_change)
        {
            CollectionCodes? before = _state.Coming;
            _state = _state.WithComing(coming);
            return before;
        }
    }

    /// <summary>Puts <paramref name="codes"/> of the manifest <paramref name="next"/> in use.</summary>
    public void Use(Storage.CollectionManifest next, CollectionCodes? codes)
    {
        lock (_change)
        {
            _state = _state.After(next, codes);
        }
    }

    /// <summary>No shard is added from now on; returns those that are open.</summary>
    public IEnumerable<Shard> Close()
    {
        lock (_change)
        {
            _isClosed = true;
            return _state.Open;
        }
    }
}
