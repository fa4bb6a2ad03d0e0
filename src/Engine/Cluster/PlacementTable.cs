using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>
/// Who holds what while a plan is made. Silos are numbered in the order of their names, without those that cannot hold anything; shards from
/// the largest to the smallest, then in the order of their ids.
/// </summary>
internal sealed class PlacementTable
{
    /// <summary>Sums of equal loads may differ in their last digits: that is no difference.</summary>
    public const double SameBelow = 1 - 1e-9;

    private readonly string[] _names;
    private readonly int[] _zones; // of each silo
    private readonly long[] _capacities;
    private readonly long[] _loads;
    private readonly double[] _shares;
    private readonly PlacementShard[] _shards;
    private readonly ulong[] _lotsOfSilos;
    private readonly ulong[] _lotsOfShards;
    private readonly List<int>[] _holders; // of each shard: silos
    private readonly List<int>[] _held; // by each silo: shards, ascending
    private readonly Dictionary<string, int> _numbers = [];
    private readonly bool[] _hadSurplus; // of each shard
    private readonly int _zoneLimit;

    public PlacementTable(IReadOnlyList<PlacementSilo> silos, IReadOnlyList<PlacementShard> shards, int replicas)
    {
        PlacementSilo[] usable = [.. silos.Where(silo => !silo.IsLeaving && silo.CapacityBytes > 0).OrderBy(silo => silo.Name, StringComparer.Ordinal)];
        string[] zones = [.. usable.Select(silo => silo.Zone).Distinct()];
        _shards = [.. shards.Select(shard => shard with { Bytes = Math.Max(1, shard.Bytes) })];
        Array.Sort(_shards, (a, b) => a.Bytes != b.Bytes ? b.Bytes.CompareTo(a.Bytes) : Placement.Compare(a.Id, b.Id));
        _names = [.. usable.Select(silo => silo.Name)];
        _zones = [.. usable.Select(silo => Array.IndexOf(zones, silo.Zone))];
        _capacities = [.. usable.Select(silo => silo.CapacityBytes)];
        _lotsOfSilos = [.. usable.Select(silo => LotOf(silo.Name, 0))];
        _lotsOfShards = [.. _shards.Select(shard => LotOf(shard.Id.Collection, shard.Id.Number))];
        _loads = new long[usable.Length];
        _holders = [.. _shards.Select(_ => new List<int>(replicas))];
        _hadSurplus = new bool[_shards.Length];
        _held = [.. usable.Select(_ => new List<int>())];
        Replicas = Math.Min(replicas, usable.Length);
        _zoneLimit = zones.Length == 0 ? 0 : (Replicas + zones.Length - 1) / zones.Length;
        _shares = SharesOf(zones.Length);
        for (int silo = 0; silo < _names.Length; silo++)
        {
            Check.That(_numbers.TryAdd(_names[silo], silo));
        }

        Check.That(shards.Select(shard => shard.Id).Distinct().Count() == shards.Count);
    }

    /// <summary>Silos that may hold something.</summary>
    public int Silos => _names.Length;

    /// <summary>Replicas that a shard can have.</summary>
    public int Replicas { get; }

    /// <summary>Shards.</summary>
    public int Shards => _shards.Length;

    public ShardId IdOf(int shard) => _shards[shard].Id;

    public long BytesOf(int shard) => _shards[shard].Bytes;

    /// <summary>Whether a shard stays as it is, whatever it lacks.</summary>
    public bool Stays(int shard) => _shards[shard].Stays;

    /// <summary>
    /// Whether a replica may leave its silo for another. Not where one is on its way, and not where there were more than are wanted: a move that has arrived
    /// ends by one of the older ones going, and only then is the next one judged.
    /// </summary>
    public bool MayMove(int shard) => _shards[shard] is { Stays: false, IsArriving: false } && !_hadSurplus[shard];

    public IReadOnlyList<int> HoldersOf(int shard) => _holders[shard];

    public long LoadOf(int silo) => _loads[silo];

    /// <summary>Bytes that a silo should hold.</summary>
    public double ShareOf(int silo) => _shares[silo];

    /// <summary>Load of a silo with <paramref name="more"/> bytes, 1 being its fair share.</summary>
    public double Relative(int silo, long more = 0) => (_loads[silo] + more) / _shares[silo];

    /// <summary>Makes a shard held by those of <paramref name="names"/> that are known, in their order.</summary>
    public void Keep(int shard, IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            if (_numbers.TryGetValue(name, out int silo) && !_holders[shard].Contains(silo))
            {
                Add(shard, silo);
            }
        }
    }

    /// <summary>
    /// Takes away replicas that are more than wanted, of the older ones, which come first: those in crowded zones, then those in the fullest silos. The
    /// newest have come in the place of one of them.
    /// </summary>
    public void DropSurplus()
    {
        for (int shard = 0; shard < Shards; shard++)
        {
            _hadSurplus[shard] = _holders[shard].Count > Replicas;
            while (_holders[shard].Count > Replicas && !Stays(shard))
            {
                List<int> older = _holders[shard].GetRange(0, Replicas);
                Remove(shard, CrowdedHolder(shard, older) ?? Fullest(older));
            }
        }
    }

    /// <summary>Takes away what is beyond a silo's capacity.</summary>
    public void DropOverload()
    {
        for (int silo = 0; silo < Silos; silo++)
        {
            while (_loads[silo] > _capacities[silo] && TryOne(silo, _loads[silo] - _capacities[silo], Drop))
            {
            }

            bool Drop(int shard)
            {
                if (!Stays(shard))
                {
                    Remove(shard, silo);
                }

                return !Stays(shard);
            }
        }
    }

    /// <summary>
    /// Tries the shards of a silo in the order in which they bring it nearest to <paramref name="bytes"/> less: the largest that is no more, then
    /// smaller ones, then the smallest that is more, then larger ones. True when <paramref name="attempt"/> took one.
    /// </summary>
    public bool TryOne(int silo, double bytes, Func<int, bool> attempt)
    {
        List<int> held = _held[silo];
        int low = 0;
        int high = held.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = BytesOf(held[middle]) <= bytes ? (low, middle) : (middle + 1, high);
        }

        for (int i = low; i < held.Count; i++)
        {
            if (attempt(held[i]))
            {
                return true;
            }
        }

        for (int i = low - 1; i >= 0; i--)
        {
            if (attempt(held[i]))
            {
                return true;
            }
        }

        return false;
    }

    public void Add(int shard, int silo)
    {
        _holders[shard].Add(silo);
        _held[silo].Insert(~_held[silo].BinarySearch(shard), shard);
        _loads[silo] += BytesOf(shard);
    }

    public void Remove(int shard, int silo)
    {
        _holders[shard].Remove(silo);
        _held[silo].RemoveAt(_held[silo].BinarySearch(shard));
        _loads[silo] -= BytesOf(shard);
    }

    public void Move(int shard, int from, int to)
    {
        Remove(shard, from);
        Add(shard, to);
    }

    /// <summary>Whether <paramref name="silo"/> may hold a shard beside its holders but <paramref name="leaving"/>.</summary>
    public bool MayHold(int shard, int silo, int leaving = -1, bool anyZone = false)
    {
        if (_loads[silo] + BytesOf(shard) > _capacities[silo])
        {
            return false;
        }

        int inZone = 0;
        foreach (int holder in _holders[shard])
        {
            if (holder == silo)
            {
                return false;
            }

            inZone += holder != leaving && _zones[holder] == _zones[silo] ? 1 : 0;
        }

        return anyZone || inZone < _zoneLimit;
    }

    /// <summary>
    /// The silo that may hold a shard and is relatively the emptiest with it; -1 where there is none. Of several as good as equal one is drawn by
    /// lot, so that the shards of a silo have their other replicas in many: when it dies, its work and its shards go to all.
    /// </summary>
    public int EmptiestFor(int shard, int leaving = -1, bool anyZone = false)
    {
        int best = -1;
        double least = double.PositiveInfinity;
        for (int silo = 0; silo < Silos; silo++)
        {
            double relative = Relative(silo, BytesOf(shard));
            bool isBetter = relative < least * SameBelow || (relative * SameBelow <= least && Lot(shard, silo) < Lot(shard, best));
            if (isBetter && MayHold(shard, silo, leaving, anyZone))
            {
                (best, least) = (silo, relative);
            }
        }

        return best;
    }

    /// <summary>Of a zone that has more replicas of a shard than it should, the fullest silo; null where no zone has.</summary>
    public int? CrowdedHolder(int shard) => CrowdedHolder(shard, _holders[shard]);

    private int? CrowdedHolder(int shard, List<int> among)
    {
        List<int> holders = _holders[shard];
        List<int> crowded = among.FindAll(silo => holders.Count(other => _zones[other] == _zones[silo]) > _zoneLimit);
        return crowded.Count == 0 ? null : Fullest(crowded);
    }

    /// <summary>Why no silo can hold one more replica of a shard.</summary>
    public string WhyNowhere(int shard, int replicas)
    {
        int[] others = [.. Enumerable.Range(0, Silos).Where(silo => !_holders[shard].Contains(silo))];
        return others.Length == 0
            ? $"need {replicas} silos, have {Silos}"
            : $"need {BytesOf(shard)} bytes in one silo, have {others.Max(silo => _capacities[silo] - _loads[silo])}";
    }

    /// <summary>Bytes that each silo should hold, by its name.</summary>
    public Dictionary<string, double> Shares() => Enumerable.Range(0, Silos).ToDictionary(silo => _names[silo], silo => _shares[silo]);

    /// <summary>The names of the silos of every shard.</summary>
    public Dictionary<ShardId, IReadOnlyList<string>> Assignment()
    {
        var assignment = new Dictionary<ShardId, IReadOnlyList<string>>(Shards);
        for (int shard = 0; shard < Shards; shard++)
        {
            assignment.Add(IdOf(shard), [.. _holders[shard].Select(silo => _names[silo])]);
        }

        return assignment;
    }

    /// <summary>A number that the names of a shard and a silo give, the same in every process.</summary>
    private ulong Lot(int shard, int silo) => Seeded.Mix(_lotsOfShards[shard] ^ _lotsOfSilos[silo]);

    private static ulong LotOf(string name, int number)
    {
        ulong lot = Seeded.Mix((ulong)number);
        foreach (char c in name)
        {
            lot = Seeded.Mix(lot ^ c);
        }

        return lot;
    }

    private int Fullest(List<int> silos) => silos.MaxBy(silo => Relative(silo));

    private double[] SharesOf(int zones)
    {
        double once = _shards.Sum(shard => (double)shard.Bytes);
        var members = Enumerable.Range(0, Silos).ToLookup(silo => _zones[silo]);
        double[] weights = [.. Enumerable.Range(0, zones).Select(zone => members[zone].Sum(silo => (double)_capacities[silo]))];
        double[] limits = [.. Enumerable.Range(0, zones).Select(zone => Math.Min(weights[zone], Math.Min(_zoneLimit, members[zone].Count()) * once))];
        double[] ofZones = FairShares.Of(Replicas * once, weights, limits);
        var shares = new double[Silos];
        for (int zone = 0; zone < zones; zone++)
        {
            int[] silos = [.. members[zone]];
            double[] capacities = [.. silos.Select(silo => (double)_capacities[silo])];
            double[] ofSilos = FairShares.Of(ofZones[zone], capacities, [.. capacities.Select(capacity => Math.Min(capacity, once))]);
            for (int i = 0; i < silos.Length; i++)
            {
                shares[silos[i]] = ofSilos[i];
            }
        }

        return shares;
    }
}
