namespace Signpost.Client;

/// <summary>An address, and whether it is worth asking. Thread-safe.</summary>
internal sealed class Silo(Uri address)
{
    private const long Awake = 0;

    private long _restsUntil = Awake;

    /// <summary>Ends with a slash.</summary>
    public Uri Address { get; } = address;

    /// <summary>Timestamp at which its rest ends; smaller than every other where it does not rest.</summary>
    public long RestsUntil => Volatile.Read(ref _restsUntil);

    /// <summary>It answered.</summary>
    public void Wake() => Volatile.Write(ref _restsUntil, Awake);

    /// <summary>It failed, and shall not be asked before.</summary>
    public void RestUntil(long timestamp) => Volatile.Write(ref _restsUntil, timestamp);

    /// <summary>
    /// Whether it may be asked now. One whose rest has ended may be asked by one caller only: it goes on resting for the others until it has
    /// answered that one.
    /// </summary>
    public bool TryTake(long now, long restTicks)
    {
        long until = RestsUntil;
        return until == Awake || (until <= now && Interlocked.CompareExchange(ref _restsUntil, now + restTicks, until) == until);
    }
}
