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

    [Fact]
    public async Task Epochs_of_a_later_process_are_above_those_of_which_an_earlier_one_has_left_something()
    {
        var later = new EmbeddedClusterState(_time, lastEpoch: 7);

        Assert.Equal(8, (await later.TryAcquireAsync("role", "a", TimeSpan.FromSeconds(1), default))!.Epoch);
    }

    protected override void Pass(TimeSpan time) => _time.Pass(time);
}
