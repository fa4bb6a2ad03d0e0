using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>The embedded runtime keeps the contract; its clock is the test's.</summary>
public class EmbeddedClusterStateTests : ClusterStateContract
{
    private readonly ManualTime _time = new();
    private readonly EmbeddedClusterState _state;

    public EmbeddedClusterStateTests() => _state = new EmbeddedClusterState(_time);

    protected override IClusterState State => _state;

    protected override void Pass(TimeSpan time) => _time.Pass(time);
}
