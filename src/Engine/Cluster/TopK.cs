using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>
/// The k nearest hits of many sorted answers, in the total order (distance, id). Merges each answer with the best so far, which
/// is linear in k and stops as soon as k are found. Reusable; one thread at a time; allocates only to grow.
/// </summary>
public sealed class TopK
{
    private Hit[] _best = [];
    private Hit[] _spare = [];
    private int _k;
    private int _count;

    /// <summary>The best so far, ascending by (distance, id).</summary>
    public ReadOnlySpan<Hit> Best => new(_best, 0, _count);

    /// <summary>Forgets everything and will keep <paramref name="k"/> (at least 0) hits.</summary>
    public void Restart(int k)
    {
        Check.That(k >= 0);
        if (_best.Length < k)
        {
            _best = new Hit[k];
            _spare = new Hit[k];
        }

        _k = k;
        _count = 0;
    }

    /// <summary>
    /// Takes the answer of one shard. A hit that the shard does not own is passed over: while slots move, the old owner may still
    /// have a copy, and no id may be returned twice.
    /// </summary>
    /// <param name="ascending">Ascending by (distance, id); no id twice.</param>
    /// <param name="owned">Slots of the shard that answered.</param>
    public void Add(ReadOnlySpan<Hit> ascending, SlotRange owned)
    {
        Hit[] best = _best;
        Hit[] merged = _spare;
        bool ownsAll = owned == Slots.All;
        int taken = 0;
        int count = 0;
        foreach (Hit hit in ascending)
        {
            while (count < _k && taken < _count && best[taken].CompareTo(hit) <= 0)
            {
                merged[count++] = best[taken++];
            }

            if (count == _k)
            {
                break;
            }

            if (ownsAll || owned.Owns(hit.Id))
            {
                merged[count++] = hit;
            }
        }

        int rest = Math.Min(_k - count, _count - taken);
        Array.Copy(best, taken, merged, count, rest);
        (_best, _spare, _count) = (merged, best, count + rest);
    }
}
