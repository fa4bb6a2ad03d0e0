using System.Collections.Immutable;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>All that the next shard maps are decided from.</summary>
public sealed record MapInput
{
    /// <summary>The collections of the segment store.</summary>
    public required IReadOnlyList<CollectionManifest> Manifests { get; init; }

    /// <summary>The present map of each collection that has one.</summary>
    public required IReadOnlyDictionary<string, ShardMap> Maps { get; init; }

    /// <summary>The silos whose leases are valid.</summary>
    public required IReadOnlyList<Member> Members { get; init; }

    /// <summary>Silos without a lease that may come back soon: their shards wait for them and are not opened elsewhere.</summary>
    public required IReadOnlySet<string> Awaited { get; init; }

    /// <summary>Those of them of whom nothing is known yet, since the leader leads too short a time: they are not taken for gone.</summary>
    public required IReadOnlySet<string> Unheard { get; init; }

    /// <summary>Copies wanted of every shard, each in a silo of its own.</summary>
    public required int Replicas { get; init; }

    /// <summary>Copies that may be on their way to a silo before no further move to it begins; missing copies are not counted out.</summary>
    public int MovesMax { get; init; } = int.MaxValue;

    /// <summary>Share by which the load of a silo may differ from the fair one before something moves.</summary>
    public double Tolerance { get; init; } = Placement.DefaultTolerance;
}

/// <summary>What the leader has decided.</summary>
/// <param name="Maps">The maps to write: those that are to change, one version further, and first ones.</param>
/// <param name="Gaps">Copies for which there is no silo.</param>
public sealed record MapDecision(IReadOnlyList<ShardMap> Maps, IReadOnlyList<PlacementGap> Gaps);

/// <summary>What the leader decides: a pure function of what is there, so that any later leader decides alike.</summary>
/// <remarks>
/// The silos say what they have open, the map says what they are to have; this brings the two together. A replica whose silo tells
/// that it is open, with the codes that queries use, serves, if the silo has seen the map that gave it: one that still has a copy open which a map
/// before took from it may be about to close it. One whose silo is gone is unavailable at once, so that nobody asks it,
/// and is replaced only when the silo is no longer awaited: most silos come back within seconds, and opening a shard elsewhere moves
/// gigabytes. A leader that has just begun does not take a silo for gone before that silo had time to speak: when the state itself was
/// away, all leases have ended, and all silos come back one after the other. A replica that is no longer wanted goes only when as many others serve as are wanted: make before break.
/// Which of the wanted changes begin now is <see cref="MoveLimits"/>'s.
///
/// Queries turn to new codes when every replica that serves has them. One that says that it cannot open them is left behind. They turn to
/// other shards, where the manifest has others, when these are served (<see cref="LayoutPlan"/>).
/// </remarks>
public static class MapPlan
{
    internal const string Gone = "its silo is gone";
    internal const string Stopping = "its silo is stopping";

    /// <summary>What is to be changed.</summary>
    public static MapDecision Next(MapInput seen)
    {
        MapInput input = Lineages.Sort(seen);
        var maps = new List<ShardMap>();
        var members = input.Members.ToDictionary(member => member.Silo.Name);
        IReadOnlyList<ShardCopies> copies = CopiesOf(input);
        PlacementPlan plan = Assign(input, copies, givesUp: true);
        Dictionary<ShardId, IReadOnlyList<string>> begun = MoveLimits.Begin(plan.Assignment, copies, input.Replicas, input.MovesMax);
        var wanted = SegmentsOf(input).SelectMany(segment => segment.Shards.Select(shard => (shard, segment.Id))).ToDictionary(pair => pair.shard, pair => begun[pair.Id]);
        foreach (CollectionManifest manifest in input.Manifests)
        {
            ShardMap? now = input.Maps.GetValueOrDefault(manifest.Name);
            if (now is not null && !LayoutPlan.IsOf(now, manifest))
            {
                continue; // built anew under its name: the old one is served as long as somebody has it open
            }

            if (NextOf(manifest, now, wanted, members, input) is { } next)
            {
                maps.Add(now is null && seen.Maps.TryGetValue(manifest.Name, out ShardMap? former) ? next.AtVersion(former.Version + 1) : next);
            }
        }

        return new MapDecision(maps, plan.Gaps);
    }

    /// <summary>The next map of a collection; null where the present one is right.</summary>
    private static ShardMap? NextOf(
        CollectionManifest manifest, ShardMap? now, IReadOnlyDictionary<ShardId, IReadOnlyList<string>> wanted, Dictionary<string, Member> members, MapInput input)
    {
        long given = now is null ? 0 : now.Version + 1; // before the first map none has taken anything from a silo
        ShardEntry Placed(ShardEntry shard, uint codes) =>
            shard with { Replicas = ReplicasOf(shard, wanted.GetValueOrDefault(shard.Id) ?? SilosOf(shard), codes, given, members, input) };
        uint codes = now is null || MayTurn(now, manifest.CodesVersion, members) ? manifest.CodesVersion : now.CodesVersion;
        IEnumerable<ShardEntry> before = now?.Shards ?? [.. manifest.Shards.Select(shard => LayoutPlan.EntryOf(manifest, shard, []))];
        ImmutableArray<ShardEntry> shards = [.. before.Select(shard => Placed(shard, codes))];
        ImmutableArray<ShardEntry> coming = now is null ? [] : [.. LayoutPlan.Coming(now, manifest).Select(shard => Placed(shard, manifest.CodesVersion))];
        bool mayTurn = now is not null && !LayoutPlan.HasLayoutOf(now, manifest) && codes == manifest.CodesVersion
            && LayoutPlan.MayTurn(shards, coming, shard => Math.Min(input.Replicas, wanted[shard].Count));
        if (mayTurn)
        {
            (shards, coming) = (LayoutPlan.Turned(manifest, shards, coming), []);
        }

        return now is not null && now.CodesVersion == codes && now.Lineage == manifest.Lineage && IsSame(now.Shards, shards) && IsSame(now.Coming, coming)
            ? null
            : new ShardMap(manifest.Name, (now?.Version ?? 0) + 1, shards, codes, coming, manifest.Lineage);
    }

    private static string[] SilosOf(ShardEntry shard) => [.. shard.Replicas.Select(replica => replica.Silo)];

    private static bool IsSame(ImmutableArray<ShardEntry> now, ImmutableArray<ShardEntry> next)
    {
        if (now.Length != next.Length)
        {
            return false;
        }

        for (int i = 0; i < now.Length; i++)
        {
            if (now[i].Id != next[i].Id || !now[i].Replicas.SequenceEqual(next[i].Replicas))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether every replica that serves has the codes of <paramref name="version"/>, or cannot have them and has another beside it.</summary>
    private static bool MayTurn(ShardMap now, uint version, Dictionary<string, Member> members)
    {
        foreach (ShardEntry shard in now.Shards)
        {
            HeldShard[] held = [.. shard.Serving.Select(replica => members.GetValueOrDefault(replica.Silo.Name)?.Held(shard.Id)).OfType<HeldShard>()];
            bool someHave = held.Any(h => h.CodesVersions.Contains(version));
            if (held.Any(h => !h.CodesVersions.Contains(version) && (h.Reason is null || !someHave)))
            {
                return false;
            }
        }

        return true;
    }

    private static ImmutableArray<Replica> ReplicasOf(
        ShardEntry shard, IReadOnlyList<string> wanted, uint codes, long given, Dictionary<string, Member> members, MapInput input)
    {
        var next = new List<Replica>();
        foreach (Replica replica in shard.Replicas)
        {
            next.Add(members.TryGetValue(replica.Silo, out Member? member)
                ? ReplicaOf(shard.Id, codes, member, replica.Given)
                : input.Unheard.Contains(replica.Silo) ? replica : replica with { State = ReplicaState.Unavailable, Reason = Gone });
        }

        foreach (string silo in wanted)
        {
            if (members.TryGetValue(silo, out Member? member) && !next.Any(replica => replica.Silo == silo))
            {
                next.Add(ReplicaOf(shard.Id, codes, member, given));
            }
        }

        StandBack(next, members);
        int serving = next.Count(replica => replica.State == ReplicaState.Serving && wanted.Contains(replica.Silo));
        bool isEnough = serving > 0 && serving >= Math.Min(input.Replicas, wanted.Count);
        bool isWhole = serving >= input.Replicas;
        bool MustStay(Replica replica) => members.TryGetValue(replica.Silo, out Member? member) && member.Note is { IsDraining: true, MayLoseCopies: false };
        next.RemoveAll(replica => !wanted.Contains(replica.Silo) && (replica.State != ReplicaState.Serving || (MustStay(replica) ? isWhole : isEnough)));
        return [.. next];
    }

    /// <summary>Nobody is to ask a silo that stops, as long as another has the shard.</summary>
    private static void StandBack(List<Replica> replicas, Dictionary<string, Member> members)
    {
        bool IsStopping(Replica replica) => members.TryGetValue(replica.Silo, out Member? member) && member.Note.IsLeaving;
        if (replicas.Any(replica => replica.State == ReplicaState.Serving && !IsStopping(replica)))
        {
            for (int i = 0; i < replicas.Count; i++)
            {
                replicas[i] = IsStopping(replicas[i]) ? replicas[i] with { State = ReplicaState.Unavailable, Reason = Stopping } : replicas[i];
            }
        }
    }

    /// <summary>The copy of a silo, as the silo tells of it.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="codes">Version of the codes that queries use.</param>
    /// <param name="member">The silo.</param>
    /// <param name="given">Version of the map that gave it; 0: no map has taken it from the silo since it last served.</param>
    private static Replica ReplicaOf(ShardId shard, uint codes, Member member, long given)
    {
        (ReplicaState state, string? reason) = StateOf(shard, codes, member);
        state = state == ReplicaState.Serving && !member.HasSeen(shard.Collection, given) ? ReplicaState.Opening : state;
        return new Replica(member.Silo.Name, state, reason, member.Silo.Epoch, state == ReplicaState.Serving ? 0 : given);
    }

    private static (ReplicaState State, string? Reason) StateOf(ShardId shard, uint codes, Member member) => member.Held(shard) switch
    {
        null => (ReplicaState.Opening, null),
        { } held when held.CodesVersions.Contains(codes) => (ReplicaState.Serving, null),
        { Reason: { } why } => (ReplicaState.Unavailable, why),
        _ => (ReplicaState.Opening, null),
    };

    /// <summary>Which silos are to hold each segment in the end, those that it has first.</summary>
    /// <remarks>
    /// A copy that is on its way is let arrive: plans that differ with every step would let none arrive. Only where all are where they should be without
    /// those that nobody misses, for example because a drain was taken back, these are given up.
    /// </remarks>
    /// <param name="input">What is there.</param>
    /// <param name="copies">What <see cref="CopiesOf"/> says of it.</param>
    /// <param name="givesUp">Whether copies that nobody misses are given up now; else what is on its way goes on.</param>
    internal static PlacementPlan Assign(MapInput input, IReadOnlyList<ShardCopies> copies, bool givesUp)
    {
        PlacedSegment[] segments = [.. SegmentsOf(input)];
        Dictionary<ShardId, IReadOnlyList<string>> present = segments.ToDictionary(segment => segment.Id, segment => segment.Present);

        // A silo that stops is as one that is awaited: it may be back at once, and to move its shards twice would be waste.
        if (input.Awaited.Count > 0 || input.Members.Any(m => m.Note.IsLeaving))
        {
            return new PlacementPlan(present, []);
        }

        HashSet<string> draining = [.. input.Members.Where(m => m.Note.IsDraining).Select(m => m.Silo.Name)];
        bool HasSurplus(ShardCopies c) => c.Opening.Count + c.Failed.Count > 0 && c.Serving.Count(silo => !draining.Contains(silo)) >= input.Replicas;
        ShardCopies[] surplus = givesUp ? [.. copies.Where(HasSurplus)] : [];
        Dictionary<ShardId, IReadOnlyList<string>> missed = surplus.Length == 0 ? present : new(present);
        Array.ForEach(surplus, c => missed[c.Shard] = [.. present[c.Shard].Except(c.Opening).Except(c.Failed)]);
        PlacementPlan plan = Plan(missed);
        bool isSettled = missed == present || plan.Assignment.All(shard => !shard.Value.Except(missed[shard.Key]).Any());
        plan = isSettled ? plan : Plan(present);
        return plan with { Assignment = segments.ToDictionary(segment => segment.Id, segment => segment.IsLeaving ? segment.Present : plan.Assignment[segment.Id]) };

        PlacementPlan Plan(Dictionary<ShardId, IReadOnlyList<string>> from) =>
            Placement.Plan(SilosOf(input), ShardsOf(segments, copies, from), input.Replicas, from, input.Tolerance);
    }

    /// <summary>The silos that shards may be in.</summary>
    internal static IReadOnlyList<PlacementSilo> SilosOf(MapInput input) =>
        [.. input.Members.Select(m => new PlacementSilo(m.Silo.Name, m.Note.Zone, m.Note.MemoryBytes, m.Note.IsDraining))];

    /// <summary>The segments as what is placed.</summary>
    private static PlacementShard[] ShardsOf(
        IEnumerable<PlacedSegment> segments, IEnumerable<ShardCopies> copies, IReadOnlyDictionary<ShardId, IReadOnlyList<string>> present) =>
        [.. segments.Zip(copies, (segment, its) => new PlacementShard(segment.Id, segment.Memory.Resident, segment.IsLeaving, its.Opening.Any(present[segment.Id].Contains)))];

    /// <summary>Every segment that is placed, and what a copy of it takes.</summary>
    internal static IEnumerable<(ShardId Shard, SegmentMemory Memory)> MemoryOf(MapInput input) => SegmentsOf(input).Select(segment => (segment.Id, segment.Memory));

    /// <summary>The copies of every segment that is placed, in the order of <see cref="SegmentsOf"/>, as the silos tell of them now.</summary>
    internal static IReadOnlyList<ShardCopies> CopiesOf(MapInput input)
    {
        var members = input.Members.ToDictionary(member => member.Silo.Name);
        ILookup<ShardId, Replica> given = input.Maps.Values.SelectMany(map => map.AllShards).SelectMany(shard => shard.Replicas.Where(r => r.Given > 0).Select(r => (shard.Id, r)))
            .ToLookup(pair => pair.Id, pair => pair.r);
        var all = new List<ShardCopies>();
        foreach (PlacedSegment segment in SegmentsOf(input))
        {
            uint codes = input.Maps.GetValueOrDefault(segment.Id.Collection)?.CodesVersion ?? 0;
            ILookup<ReplicaState, string> silos = segment.Present.Where(members.ContainsKey).ToLookup(silo => BestOf(members[silo]));
            all.Add(new ShardCopies(segment.Id, [.. silos[ReplicaState.Serving]], [.. silos[ReplicaState.Opening]], [.. silos[ReplicaState.Unavailable]]));

            ReplicaState BestOf(Member member)
            {
                ReplicaState[] states = [.. segment.Shards.Select(shard => ReplicaOf(shard, codes, member, GivenOf(shard, member)).State)];
                return states.Contains(ReplicaState.Serving) ? ReplicaState.Serving : states.Max(); // one that failed tells more than one not tried
            }
        }

        return all;

        long GivenOf(ShardId shard, Member member) => given[shard].FirstOrDefault(replica => replica.Silo == member.Silo.Name)?.Given ?? 0;
    }

    private static IEnumerable<PlacedSegment> SegmentsOf(MapInput input) =>
        input.Manifests.SelectMany(manifest => LayoutPlan.SegmentsOf(manifest, input.Maps.GetValueOrDefault(manifest.Name)));
}
