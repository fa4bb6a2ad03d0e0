using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>
/// Bounds how much is inside at once: what would be beyond is refused at once, instead of being answered too late. Thread-safe.
/// </summary>
/// <param name="what">What is bounded, for the refusal; plural.</param>
/// <param name="limit">Most that may be inside, at least 1.</param>
public sealed class Admission(string what, int limit)
{
    private int _inside;
    private long _refused;

    /// <summary>How much is inside.</summary>
    public int Inside => Volatile.Read(ref _inside);

    /// <summary>How much was refused so far.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Lets <paramref name="count"/> in, to <see cref="Leave"/> later; or lets none in and says why.</summary>
    public Problem? TryEnter(int count = 1)
    {
        int inside = Interlocked.Add(ref _inside, count);
        if (inside <= limit && inside > 0)
        {
            return null;
        }

        Interlocked.Add(ref _inside, -count);
        Interlocked.Add(ref _refused, count);
        return new Problem(ProblemCode.Busy, what, $"{inside - count} inside and {count} more", $"at most {limit}", "Try again in a second.");
    }

    /// <summary>Gives the places of <paramref name="count"/> back.</summary>
    public void Leave(int count = 1) => Check.That(Interlocked.Add(ref _inside, -count) >= 0);
}
