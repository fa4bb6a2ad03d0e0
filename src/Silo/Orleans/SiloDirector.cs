using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Signpost.Engine.Cluster;
using Signpost.Grains.Orleans;

namespace Signpost.Silo.Orleans;

/// <summary>
/// Puts the grain of a copy where the shard map has the copy, and nowhere else: which silo holds what is the leader's to decide, here it
/// is only looked up.
/// </summary>
/// <param name="membership">The silos, by Orleans.</param>
/// <param name="mapOf">The map of a collection that this silo uses; null where it has none.</param>
internal sealed class ShardDirector(IClusterMembershipService membership, Func<string, ShardMap?> mapOf) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string text = target.GrainIdentity.Key.ToString()!;
        ShardKey key = ShardKey.Parse(text) ?? throw new OrleansException($"'{text}' is not the key of a shard's copy: expected collection/shard/silo");
        SiloAddress[] silos = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) is { } hint)
        {
            return Task.FromResult(hint);
        }

        bool isThere = mapOf(key.Shard.Collection)?.Shards.Any(shard => shard.Id == key.Shard && shard.Replicas.Any(replica => replica.Silo == key.Silo)) ?? true;
        return isThere
            ? Task.FromResult(Find(key.Silo, silos) ?? throw new OrleansException($"{key}: Orleans knows no silo of that name that is alive"))
            : throw new OrleansException($"{key}: the shard map has no such copy");
    }

    /// <summary>The last one that was started, where others of the name are not yet known to have ended.</summary>
    private SiloAddress? Find(string name, SiloAddress[] silos) => membership.CurrentSnapshot.Members.Values
        .Where(member => MemberName.Of(member).Silo == name && member.Status == SiloStatus.Active && silos.Contains(member.SiloAddress))
        .MaxBy(member => member.SiloAddress.Generation)?.SiloAddress;
}
