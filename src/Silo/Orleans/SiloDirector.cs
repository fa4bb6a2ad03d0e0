using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Signpost.Engine.Cluster;
using Signpost.Grains.Orleans;

namespace Signpost.Silo.Orleans;

/// <summary>
/// Puts a grain into the silo that its key names; the grain of a copy only where the shard map has the copy: which silo holds what is the leader's to
/// decide, here it is only looked up.
/// </summary>
/// <param name="membership">The silos, by Orleans.</param>
/// <param name="mapOf">The map of a collection that this silo uses; null where it has none.</param>
internal sealed class SiloDirector(IClusterMembershipService membership, Func<string, ShardMap?> mapOf) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string text = target.GrainIdentity.Key.ToString()!;
        SiloAddress[] silos = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) is { } hint)
        {
            return Task.FromResult(hint);
        }

        ShardKey? copy = ShardKey.Parse(text);
        return copy is { } key && mapOf(key.Shard.Collection)?.Shards.Any(shard => shard.Id == key.Shard && shard.Replicas.Any(r => r.Silo == key.Silo)) == false
            ? throw new OrleansException($"{text}: the shard map has no such copy")
            : Task.FromResult(Find(copy?.Silo ?? text, silos) ?? throw new OrleansException($"{text}: Orleans knows no silo of that name that is alive"));
    }

    /// <summary>The last one that was started, where others of the name are not yet known to have ended.</summary>
    private SiloAddress? Find(string name, SiloAddress[] silos) => membership.CurrentSnapshot.Members.Values
        .Where(member => MemberName.Of(member).Silo == name && member.Status == SiloStatus.Active && silos.Contains(member.SiloAddress))
        .MaxBy(member => member.SiloAddress.Generation)?.SiloAddress;
}
