using Signpost.Cluster.Tests.Peers;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Grains;
using Signpost.Grains.Wire;

namespace Signpost.Cluster.Tests.Grains;

/// <summary>The search of a collection as a message.</summary>
public sealed class CoordinatorGrainTests : PeerTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_is_that_of_the_coordinator(bool overPeers)
    {
        Coordinator coordinator = overPeers ? Remote() : EmbeddedCluster.Over(Collection);
        var grain = new CoordinatorGrain(coordinator, Collection.Queries, Silo.Threads);
        for (int row = 0; row < 20; row++)
        {
            (Outcome<SearchAnswer> answer, Hit[] hits) = await AskAsync(grain, row, new SearchParameters(10, Count));

            Assert.Equal(Nearest(Vectors, Vectors.RowSpan(row), 10), hits);
            Assert.Equal(new Coverage(2, 2, Count, Count), answer.OrThrow().Coverage);
            Assert.True(answer.Value.Stats.Hops > 0);
        }
    }

    [Fact]
    public async Task Bad_input_too_little_coverage_and_too_much_work_are_problems()
    {
        var grain = new CoordinatorGrain(Remote(), Collection.Queries, Silo.Threads);
        Assert.Equal(ProblemCode.InvalidArgument, (await AskAsync(grain, 3, new SearchParameters(0, 10))).Answer.Problem?.Code);
        Assert.Equal(ProblemCode.WrongDimension, await CodeOf(grain, new WireQuery(new SearchRequest(new SearchParameters(1, 1)), null, new byte[Dim + 1])));

        var deaf = new CoordinatorGrain(EmbeddedCluster.Over(Collection), Collection.Queries, Silo.Threads);
        Collection.Shards[0].Shard!.Dispose();
        var full = new WireQuery(new SearchRequest(new SearchParameters(1, 10), RequireFull: true), Hang, Vectors.RowSpan(3).ToArray());
        Assert.Equal(ProblemCode.IncompleteCoverage, await CodeOf(deaf, full));
        Assert.Single((await AskAsync(deaf, 3, new SearchParameters(1, 10))).Answer.OrThrow().Missing);

        using var threads = new SearchThreads(1, 1);
        using var blocker = new Blocker(threads, 1);
        Assert.Equal(ProblemCode.Busy, await CodeOf(new CoordinatorGrain(Remote(), Collection.Queries, threads), full));
    }

    [Fact]
    public async Task A_request_that_is_none_is_refused()
    {
        var grain = new CoordinatorGrain(EmbeddedCluster.Over(Collection), Collection.Queries, Silo.Threads);
        byte[] good = QueryCodec.WriteRequest(new WireQuery(new SearchRequest(new SearchParameters(1, 10)), Hang, Vectors.RowSpan(3).ToArray()));
        for (int length = 0; length < good.Length; length++)
        {
            byte[] cut = good[..length];
            await Assert.ThrowsAsync<ProblemException>(() => grain.SearchAsync(cut, default));
        }
    }

    private Coordinator Remote()
    {
        ShardMap map = EmbeddedCluster.MapOf(Collection);
        var replica = new Replica(Silo.Id.Name, ReplicaState.Serving, null, Silo.Id.Epoch);
        return new Coordinator(new ShardMap(map.Collection, 1, [.. map.Shards.Select(shard => shard with { Replicas = [replica] })], map.CodesVersion), Client);
    }

    private async Task<(Outcome<SearchAnswer> Answer, Hit[] Hits)> AskAsync(CoordinatorGrain grain, int row, SearchParameters parameters)
    {
        byte[] request = QueryCodec.WriteRequest(new WireQuery(new SearchRequest(parameters), Hang, Vectors.RowSpan(row).ToArray()));
        return QueryCodec.ReadAnswer(await grain.SearchAsync(request, default).WaitAsync(Hang), "test", parameters.K);
    }

    private async Task<ProblemCode?> CodeOf(CoordinatorGrain grain, WireQuery query) =>
        QueryCodec.ReadAnswer(await grain.SearchAsync(QueryCodec.WriteRequest(query), default).WaitAsync(Hang), "test", 1).Answer.Problem?.Code;
}
