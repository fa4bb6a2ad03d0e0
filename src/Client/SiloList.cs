namespace Signpost.Client;

/// <summary>The silos that can be asked: those of the options and those that the cluster has told of. Thread-safe.</summary>
internal sealed class SiloList
{
    /// <summary>State of a silo that takes requests.</summary>
    private const string Serving = "serving";

    private readonly Uri[] _seeds;
    private readonly bool _isSecret;
    private readonly TimeSpan _rest;
    private readonly TimeProvider _time;
    private volatile Silo[] _silos;
    private uint _turn;

    /// <param name="seeds">The addresses of the options.</param>
    /// <param name="rest">How long a silo that failed is not asked.</param>
    /// <param name="time">The clock of rests.</param>
    public SiloList(IEnumerable<Uri> seeds, TimeSpan rest, TimeProvider time)
    {
        _seeds = [.. seeds.Distinct()];
        _isSecret = _seeds.Any(seed => seed.Scheme == Uri.UriSchemeHttps);
        _rest = rest;
        _time = time;
        _silos = [.. _seeds.Select(seed => new Silo(seed))];
        _turn = (uint)Random.Shared.Next(_silos.Length); // many clients with the same list begin at different silos
    }

    /// <summary>The addresses that may be asked now or later.</summary>
    public IEnumerable<Uri> Addresses => _silos.Select(silo => silo.Address);

    /// <summary>
    /// The next in turn that does not rest and is not among <paramref name="tried"/>; where there is none, the one that ends its rest first,
    /// of those not tried if there are any.
    /// </summary>
    public Silo Next(IReadOnlyCollection<Silo> tried)
    {
        Silo[] silos = _silos;
        uint turn = Interlocked.Increment(ref _turn);
        long now = _time.GetTimestamp();
        for (uint i = 0; i < silos.Length; i++)
        {
            Silo silo = silos[(turn + i) % silos.Length];
            if (!tried.Contains(silo) && silo.TryTake(now, Ticks(_rest)))
            {
                return silo;
            }
        }

        return silos.OrderBy(tried.Contains).ThenBy(silo => silo.RestsUntil).First();
    }

    /// <summary>Lets <paramref name="silo"/> rest, for the time of the options unless it asked for another one itself.</summary>
    public void Rest(Silo silo, TimeSpan? time = null) => silo.RestUntil(_time.GetTimestamp() + Ticks(time ?? _rest));

    /// <summary>
    /// Takes over who is there: asks silos that serve, leaves out those that do not. The addresses of the options stay unless the cluster says
    /// that they do not serve. A silo that is alone tells nothing new: its address is what it listens on, not what it is reached at. Where an
    /// address of the options is https, nothing is asked in clear.
    /// </summary>
    public void Learn(ClusterInfo cluster)
    {
        if (cluster.Runtime == "embedded")
        {
            return;
        }

        ILookup<bool, Uri> told = cluster.Silos
            .Select(silo => (Uri: SignpostClientOptions.SiloAddress(silo.Url), IsServing: silo.State == Serving))
            .Where(silo => silo.Uri is not null && (silo.Uri.Scheme == Uri.UriSchemeHttps || !_isSecret))
            .ToLookup(silo => silo.IsServing, silo => silo.Uri!);
        Uri[] wanted = [.. _seeds.Except(told[false]).Union(told[true])];
        Silo[] known = _silos;
        if (wanted.Length > 0)
        {
            _silos = [.. wanted.Select(uri => Array.Find(known, silo => silo.Address == uri) ?? new Silo(uri))];
        }
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);
}
