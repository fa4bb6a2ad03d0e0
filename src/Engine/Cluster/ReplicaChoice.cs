using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>Chooses which replica of each shard a query asks.</summary>
/// <remarks>
/// The local silo is asked for all that it serves, since that costs no network, unless far more searches wait here than at another silo.
/// For the rest few silos should be asked, and those with little to do: a set cover with weights, solved greedily as usual (Chvatal,
/// 1979). Again and again that silo is taken which serves the most shards still open for its expected work, with all of them. Work is
/// rounded down to a power of two, so that noise does not send all queries to one of several equal silos; which of those is first
/// changes from query to query. A silo that failed lately comes after all others, until its pause is over: then one query takes it first.
/// </remarks>
/// <param name="localQueue">Searches that wait in this process; null: none ever do.</param>
internal sealed class ReplicaChoice(Func<int>? localQueue)
{
    private const int QueueAllowed = 8; // what a few queries that come together make
    private const int QueueFactor = 4;
    private const int SilosOnStack = 64;

    private int _turn;

    internal enum Rank
    {
        None,
        Avoided,
        Overloaded,
        Good,
        Probed,
    }

    /// <summary>Gives each wanted shard to one silo that was not asked for it in this query yet.</summary>
    public void Place(FanOut fan, bool mayProbe, Clock clock)
    {
        Routes routes = fan.Routes;
        if (routes.Here >= 0 && !routes.Silos[routes.Here].IsAvoided && !IsQueueLong(routes))
        {
            fan.Give(routes.Here);
        }

        if (!fan.Wanted.IsEmpty)
        {
            PlaceByWork(fan, mayProbe, clock.Now);
        }
    }

    private bool IsQueueLong(Routes routes)
    {
        int queue = localQueue?.Invoke() ?? 0;
        if (queue <= QueueAllowed)
        {
            return false;
        }

        int least = int.MaxValue / QueueFactor / 2;
        for (int place = 0; place < routes.Silos.Length; place++)
        {
            if (place != routes.Here && !routes.Silos[place].IsAvoided)
            {
                least = Math.Min(least, routes.Silos[place].Outstanding);
            }
        }

        return queue > QueueAllowed + (QueueFactor * least);
    }

    private void PlaceByWork(FanOut fan, bool mayProbe, TimeSpan now)
    {
        Routes routes = fan.Routes;
        int count = routes.Silos.Length;
        Span<Candidate> silos = count <= SilosOnStack ? stackalloc Candidate[SilosOnStack] : new Candidate[count];
        silos = silos[..count];
        silos.Clear();
        fan.CountWanted(silos);
        ulong turn = (uint)Interlocked.Increment(ref _turn);
        for (int place = 0; place < count; place++)
        {
            if (silos[place].Shards > 0)
            {
                SiloLoad silo = routes.Silos[place];
                Rank rank = !silo.IsAvoided ? (place == routes.Here ? Rank.Overloaded : Rank.Good)
                    : mayProbe && silo.TryProbe(now) ? Rank.Probed : Rank.Avoided;
                mayProbe &= rank != Rank.Probed;
                silos[place] = new Candidate(rank, Math.ScaleB(1, Math.ILogB(silo.CostAt(now))), Seeded.Mix(turn ^ ((ulong)place << 32)));
            }
        }

        while (!fan.Wanted.IsEmpty)
        {
            foreach (ref Candidate silo in silos)
            {
                silo.Shards = 0;
            }

            fan.CountWanted(silos);
            int best = 0;
            for (int place = 1; place < count; place++)
            {
                best = silos[place].IsBetterThan(silos[best]) ? place : best;
            }

            fan.Give(best);
        }
    }

    /// <summary>A silo that may be chosen.</summary>
    internal struct Candidate(Rank rank, double work, ulong lot)
    {
        private readonly Rank _rank = rank;
        private readonly double _work = work;
        private readonly ulong _lot = lot;

        /// <summary>Wanted shards that it serves.</summary>
        public int Shards;

        /// <summary>Whether this one is taken before <paramref name="other"/>.</summary>
        public readonly bool IsBetterThan(in Candidate other)
        {
            if (Shards == 0 || other.Shards == 0)
            {
                return Shards > 0;
            }

            int order = _rank.CompareTo(other._rank);
            order = order != 0 ? order : (Shards / _work).CompareTo(other.Shards / other._work);
            return order > 0 || (order == 0 && _lot > other._lot);
        }
    }
}
