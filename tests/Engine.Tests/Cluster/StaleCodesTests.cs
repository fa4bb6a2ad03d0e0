using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>A coordinator whose shards have newer codes than its map names.</summary>
public class StaleCodesTests
{
    private static readonly ShardMap Map = new("c", 1, [.. Slots.Split(3).Select((range, i) =>
        new ShardEntry(new ShardId("c", i), range, 10, [new Replica($"silo {i}", ReplicaState.Serving)]))], codesVersion: 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_query_begins_again_with_the_newest_map_and_keeps_nothing_of_the_first_beginning(bool isRemote)
    {
        EmbeddedClusterState state = await StateOf(Map, Map.WithCodes(2));
        var client = new VersionedClient(isRemote, shard => shard == 2 ? 2u : 1u, after: _ => 2u);
        var coordinator = new Coordinator(Map, client, state);

        (Outcome<SearchAnswer> answer, Hit[] hits) = await Search(coordinator);

        Assert.True(answer.Value.Coverage.IsFull);
        Assert.Equal(2, coordinator.Map.Version);
        Assert.All(hits[..answer.Value.Count], hit => Assert.Equal(2f, hit.Distance)); // the distance tells the version
        Assert.Equal([1u, 1u, 1u, 2u, 2u, 2u], client.Asked);
    }

    [Fact]
    public async Task Several_trainings_that_end_during_one_query_are_followed()
    {
        var state = new EmbeddedClusterState();
        await state.TryWriteAsync(Map, null, default);
        uint current = 1;
        var client = new VersionedClient(false, _ => current, after: _ => current);
        client.BeforeAnswer = asked =>
        {
            if (asked < 6)
            {
                current = asked + 1; // whenever a version is asked for, the next training has just ended
                Assert.True(state.TryWriteAsync(new ShardMap("c", asked + 1, Map.Shards, current), null, default).Result);
            }
        };

        (Outcome<SearchAnswer> answer, Hit[] hits) = await Search(new Coordinator(Map, client, state));

        Assert.True(answer.Ok);
        Assert.All(hits[..answer.Value.Count], hit => Assert.Equal(6f, hit.Distance));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_newer_map_the_query_is_refused_as_stale_and_not_asked_for_ever(bool hasState)
    {
        var client = new VersionedClient(false, shard => shard == 1 ? 2u : 1u, after: _ => 2u);
        var coordinator = new Coordinator(Map, client, hasState ? await StateOf(Map) : null);

        (Outcome<SearchAnswer> answer, _) = await Search(coordinator);

        Assert.Equal(ProblemCode.StaleVersion, answer.Problem?.Code);
        Assert.Equal(3, client.Asked.Count);
    }

    [Fact]
    public void The_next_map_keeps_the_codes_version_unless_it_is_what_changes()
    {
        Assert.Equal((2L, 1u), (Map.WithReplicas(0).Version, Map.WithReplicas(0).CodesVersion));
        Assert.Equal((2L, 9u), (Map.WithCodes(9).Version, Map.WithCodes(9).CodesVersion));
        Assert.Equal(Map.Shards, Map.WithCodes(9).Shards);
    }

    private static async Task<EmbeddedClusterState> StateOf(params ShardMap[] maps)
    {
        var state = new EmbeddedClusterState();
        foreach (ShardMap map in maps)
        {
            Assert.True(await state.TryWriteAsync(map, null, default));
        }

        return state;
    }

    private static async Task<(Outcome<SearchAnswer> Answer, Hit[] Hits)> Search(Coordinator coordinator)
    {
        using var query = new Query(2, ElementType.Float32, Metric.L2);
        var hits = new Hit[30];
        return (await coordinator.SearchAsync(query, new SearchRequest(new SearchParameters(30, 30, SearchMode.Codes)), Deadline.None, hits, default), hits);
    }

    /// <summary>Shards that have one version each; every hit's distance is the version it was computed with.</summary>
    private sealed class VersionedClient(bool isRemote, Func<int, uint> has, Func<int, uint> after) : IShardClient
    {
        public List<uint> Asked { get; } = [];

        public Action<uint> BeforeAnswer { get; set; } = _ => { };

        public string? Here => null;

        public async ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
        {
            var shard = new ShardId(query.Collection, Assert.Single(query.Shards.ToArray()).Number);
            bool isFirst = Asked.Count < 3;
            Asked.Add(query.CodesVersion);
            uint wanted = query.CodesVersion;
            Hit[] hits = [.. Enumerable.Range(0, 2000).Select(i => (ulong)i).Where(id => Map.ShardOf(id).Id == shard).Take(5).Select(id => new Hit(id, wanted))];
            if (isRemote)
            {
                await Task.Yield();
            }

            BeforeAnswer(wanted);
            return (isFirst ? has(shard.Number) : after(shard.Number)) == wanted
                ? new ShardAnswer(hits, default)
                : new ShardAnswer(default, default, null, new Problem(ProblemCode.StaleVersion, "codes", $"{wanted}", "newer", "again"));
        }

        public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) => throw new NotSupportedException();

        public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => throw new NotSupportedException();

        public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) => throw new NotSupportedException();
    }
}
