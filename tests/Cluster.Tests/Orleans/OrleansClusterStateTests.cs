using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Cluster;
using Signpost.Silo.Orleans;

namespace Signpost.Cluster.Tests.Orleans;

/// <summary>The state of a cluster under Orleans keeps the contract.</summary>
public sealed class OrleansClusterStateTests(OrleansFixture orleans) : ClusterStateContract, IClassFixture<OrleansFixture>, IDisposable
{
    private Silos? _silos;
    private IClusterState? _state;

    protected override IClusterState State => _state ??= new OrleansClusterState(Kept.Add(), () => orleans.Server.Members.CurrentSnapshot);

    private Silos Kept => _silos ??= Silos.WithManualClock(orleans.Redis);

    protected override void Pass(TimeSpan time) => Kept.Pass(time);

    public void Dispose() => _silos?.Dispose();
}
