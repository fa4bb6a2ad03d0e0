using Signpost.Silo.Redis;
using Signpost.Silo.Security;

namespace Signpost.Silo.Orleans;

/// <summary>What a silo under Orleans is told.</summary>
/// <param name="Cluster">Name of the cluster, the cluster id of Orleans.</param>
/// <param name="Silo">Name of this silo, by which copies of shards find it.</param>
/// <param name="Redis">Where Orleans keeps its members; null: this silo is alone.</param>
/// <param name="AdvertiseHost">Name or address under which others reach this machine; null: where it listens.</param>
/// <param name="Lease">How long a silo that says nothing is taken for alive.</param>
/// <param name="Security">How silos know each other.</param>
/// <param name="Say">Takes a line for the operator.</param>
internal sealed record OrleansSiloOptions(string Cluster, string Silo, RedisOptions? Redis, string? AdvertiseHost, TimeSpan Lease, PeerSecurity Security, Action<string> Say);
