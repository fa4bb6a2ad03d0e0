using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Engine.Shards;

/// <summary>
/// What one search of a shard works on: its segment with the codes of one quantizer, or with none. Whoever searches holds it; the
/// last to let go frees what is behind it.
/// </summary>
internal sealed class ShardView(in SegmentView view, uint codesVersion, string? codesFile, long codesBytes, Action free)
{
    private long _holders = 1; // open snapshots, and one for the shard until it lets go

    /// <summary>For the search.</summary>
    public SegmentView Segment { get; } = view;

    /// <summary>Number of the training that made the codes; 0 without codes.</summary>
    public uint CodesVersion => codesVersion;

    /// <summary>Name of the file of the codes; null without codes.</summary>
    public string? CodesFile => codesFile;

    /// <summary>Bytes of the codes.</summary>
    public long CodesBytes => codesBytes;

    /// <summary>Whether it has been freed.</summary>
    public bool IsFreed => Interlocked.Read(ref _holders) == 0;

    /// <summary>Holds it, unless it has been freed.</summary>
    public bool TryHold()
    {
        long holders = Interlocked.Read(ref _holders);
        while (holders > 0)
        {
            long before = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (before == holders)
            {
                return true;
            }

            holders = before;
        }

        return false;
    }

    /// <summary>Lets go.</summary>
    public void Release()
    {
        long left = Interlocked.Decrement(ref _holders);
        Check.That(left >= 0);
        if (left == 0)
        {
            free();
        }
    }
}
