using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Cluster.Simulation;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>For whom a silo answers while its lease, or the state that keeps it, is away. The simulation has the rest.</summary>
public sealed class SiloLeaseTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(3);

    private readonly ManualTime _time = new();
    private readonly FaultyState _state;
    private readonly SiloLease _lease;

    public SiloLeaseTests()
    {
        _state = new FaultyState(new EmbeddedClusterState(_time), (_, _) => { });
        _lease = new SiloLease(_state, "a", Duration, _time);
        Assert.True(_lease.Beat("", default));
    }

    [Fact]
    public void While_attempts_wait_long_for_a_state_that_is_silent_it_serves_at_every_moment()
    {
        _state.IsCut = true;
        for (int attempt = 0; attempt < 10; attempt++)
        {
            for (int tenth = 0; tenth < 20; tenth++) // half a second of pause, one and a half until the attempt is given up
            {
                _time.Pass(TimeSpan.FromSeconds(0.1));
                Assert.True(_lease.MayServe, $"attempt {attempt}, {tenth} tenths");
            }

            _lease.Beat("", default);
        }
    }

    [Fact]
    public void One_that_was_frozen_for_longer_than_its_lease_answers_nobody_until_it_has_looked()
    {
        _time.Pass(Duration);
        Assert.False(_lease.MayServe);

        Assert.True(_lease.Beat("", default));
        Assert.True(_lease.MayServe);
        Assert.Equal(2, _lease.Silo!.Value.Epoch);
    }
}
