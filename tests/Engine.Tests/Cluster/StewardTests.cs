using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Cluster.Simulation;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>How a leader leads when what it reads from is away.</summary>
public class StewardTests
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(3);

    private readonly ManualTime _time = new();
    private readonly EmbeddedClusterState _state;
    private readonly CollectionManifest _manifest = SimulatedManifests.Built("c", 2);
    private bool _isStoreAway;

    public StewardTests() => _state = new EmbeddedClusterState(_time);

    [Fact]
    public async Task Without_the_store_it_goes_on_by_the_manifests_that_it_has_read()
    {
        var steward = new Steward(_state, "a", _ => Manifests(), new StewardOptions { Replicas = 1, Lease = LeaseTime }, _time);
        var a = new SiloLease(_state, "a", LeaseTime, _time);
        var b = new SiloLease(_state, "b", LeaseTime, _time);
        _isStoreAway = true;
        await Assert.ThrowsAsync<IOException>(async () => await steward.StepAsync(default)); // it has read none

        _isStoreAway = false;
        for (int i = 0; i < 5; i++)
        {
            Assert.True(a.Beat(NoteOf(0), default) & b.Beat(NoteOf(1), default));
            await steward.StepAsync(default);
            _time.Pass(TimeSpan.FromSeconds(1));
        }

        Assert.Null(steward.StoreFailure);
        ShardMap map = (await _state.ReadAsync("c", default))!;
        Assert.All(map.Shards, shard => Assert.Equal(ReplicaState.Serving, Assert.Single(shard.Replicas).State));

        _isStoreAway = true;
        await b.LeaveAsync(default);
        a.Beat(NoteOf(0), default);
        ShardMap next = Assert.Single(await steward.StepAsync(default));

        Assert.Equal("the bucket is away", steward.StoreFailure);
        Assert.Equal(1, next.Shards.Count(shard => !shard.IsServing));
    }

    private IReadOnlyList<CollectionManifest> Manifests() => _isStoreAway ? throw new IOException("the bucket is away") : [_manifest];

    private string NoteOf(int held) => new SiloNote("", "", "", 1L << 40, 0, 0, IsLeaving: false, [new HeldShard("c", held, [_manifest.CodesVersion])]).Write();
}
