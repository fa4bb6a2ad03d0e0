using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Grains;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Peers;

/// <summary>Two silos with one search thread each, which need each other for every search.</summary>
public sealed class TwoSilosTests : PeerTest
{
    [Fact]
    public async Task Silos_that_ask_each_other_at_once_all_get_whole_answers()
    {
        await using PeerSilo b = await PeerSilo.StartAsync("b", _ => Collection, threads: 1);
        await using PeerSilo c = await PeerSilo.StartAsync("c", _ => Collection, threads: 1);
        ShardMap map = EmbeddedCluster.MapOf(Collection);
        map = new ShardMap(map.Collection, 1, [map.Shards[0] with { Replicas = [Serving(b)] }, map.Shards[1] with { Replicas = [Serving(c)] }], map.CodesVersion);
        Uri? AddressOf(SiloId silo) => silo == b.Id ? b.Address : silo == c.Id ? c.Address : null;
        using var clientOfB = new PeerShardClient(b.Shards, AddressOf);
        using var clientOfC = new PeerShardClient(c.Shards, AddressOf);
        CoordinatorGrain[] coordinators =
        [
            new(new Coordinator(map, clientOfB), Collection.Queries, b.Threads), new(new Coordinator(map, clientOfC), Collection.Queries, c.Threads),
        ];

        Task[] searches = [.. Enumerable.Range(0, 400).Select(i => SearchAsync(coordinators[i % 2], i % Count))];

        await Task.WhenAll(searches).WaitAsync(Hang);
        static Replica Serving(PeerSilo silo) => new(silo.Id.Name, ReplicaState.Serving, null, silo.Id.Epoch);
    }

    private async Task SearchAsync(CoordinatorGrain coordinator, int row)
    {
        var query = new WireQuery(new SearchRequest(new SearchParameters(10, Count), RequireFull: true), Hang, Vectors.RowSpan(row).ToArray());
        byte[] answer = await coordinator.SearchAsync(QueryCodec.WriteRequest(query), default);
        (_, Hit[] hits) = QueryCodec.ReadAnswer(answer, "test", 10);
        Assert.Equal(Nearest(Vectors, Vectors.RowSpan(row), 10), hits);
    }
}
