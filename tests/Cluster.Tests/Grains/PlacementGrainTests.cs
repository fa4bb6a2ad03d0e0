using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;
using Signpost.Grains;
using Signpost.Grains.Wire;

namespace Signpost.Cluster.Tests.Grains;

/// <summary>Placement as messages.</summary>
public sealed class PlacementGrainTests : ShardTest
{
    [Fact]
    public async Task A_step_decides_and_the_map_is_what_it_wrote()
    {
        using VectorBlock vectors = Bytes(100);
        CollectionManifest manifest = Build(vectors, Options(shards: 2));
        var state = new EmbeddedClusterState();
        var lease = new SiloLease(state, "a", PeerSilo.LeaseTime, TimeProvider.System);
        var note = new SiloNote("http://a", "http://a:1", "", 1 << 30, 0, 0, false, []);
        Assert.True(lease.Beat(note.Write(), default));
        var options = new StewardOptions { Replicas = 1, Settle = TimeSpan.Zero };
        var steward = new Steward(state, "a", _ => [manifest], options, TimeProvider.System);
        var grain = new PlacementGrain(steward.StepAsync, state);
        Assert.Null(PlacementCodec.ReadMap(await grain.MapAsync(PlacementCodec.WriteMapRequest("test"), default)));

        Assert.Equal(["test"], PlacementCodec.ReadStepped(await grain.StepAsync(default)));

        ShardMap map = PlacementCodec.ReadMap(await grain.MapAsync(PlacementCodec.WriteMapRequest("test"), default))!;
        Assert.Equal(ShardMapCodec.Encode((await state.ReadAsync("test", default))!), ShardMapCodec.Encode(map));
        Assert.All(map.Shards, shard => Assert.Equal("a", Assert.Single(shard.Replicas).Silo));
        await Assert.ThrowsAsync<ProblemException>(() => grain.MapAsync(new byte[] { 0x92, 1 }, default));
    }
}
