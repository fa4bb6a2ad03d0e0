namespace Signpost.Engine.Cluster;

/// <summary>
/// A token bucket that lets a tenth of the calls be hedged: when everything is slow because there is too much to do, asking twice would
/// make it slower still. Thread-safe.
/// </summary>
internal sealed class HedgeBudget
{
    private const int PerHedge = 10;
    private const int Most = 10 * PerHedge; // what may be saved for a burst, for example when a silo freezes
    private int _tokens = Most;

    /// <summary>A call was made.</summary>
    public void Earn()
    {
        int tokens = Volatile.Read(ref _tokens);
        if (tokens < Most)
        {
            Interlocked.CompareExchange(ref _tokens, tokens + 1, tokens); // one that is lost to another thread is not missed
        }
    }

    /// <summary>Whether a hedge may be made; then it is paid for.</summary>
    public bool TrySpend()
    {
        int tokens = Volatile.Read(ref _tokens);
        while (tokens >= PerHedge)
        {
            int before = Interlocked.CompareExchange(ref _tokens, tokens - PerHedge, tokens);
            if (before == tokens)
            {
                return true;
            }

            tokens = before;
        }

        return false;
    }
}
