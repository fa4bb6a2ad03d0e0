using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Cluster;

namespace Signpost.Cluster.Tests.Contract;

/// <summary>The runtime on Redis keeps the contract. Its clock is that of Redis, which the test sets.</summary>
public sealed class RedisClusterStateTests(RedisFixture redis) : ClusterStateContract, IClassFixture<RedisFixture>, IDisposable
{
    private readonly Silos _silos = Silos.WithManualClock(redis.Server);
    private IClusterState? _state;

    protected override IClusterState State => _state ??= _silos.Add();

    protected override void Pass(TimeSpan time) => _silos.Pass(time);

    public void Dispose() => _silos.Dispose();
}
