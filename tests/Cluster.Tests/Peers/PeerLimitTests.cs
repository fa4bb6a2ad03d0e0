using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Peers;

/// <summary>What is too large is refused where it would be sent.</summary>
public sealed class PeerLimitTests : PeerTest
{
    private protected override WireLimits Limits => new() { K = 100, SearchBytes = 2048, SearchAnswerBytes = 4096, ControlBytes = 4096, ControlAnswerBytes = 1024 };

    [Fact]
    public async Task A_search_that_is_too_large_is_not_sent()
    {
        using var client = new RemoteShardClient(_ => new Uri("http://127.0.0.1:1"), Limits); // nobody is there, and nobody is asked
        using var wide = new Query(1100, ElementType.UInt8, Metric.L2);
        ShardQuery asked = Asked(3, new SearchParameters(10, 40));

        Assert.Contains("is not sent", (await Fails(asked with { Query = wide })).Message, StringComparison.Ordinal);
        Assert.Contains("is not sent", (await Fails(asked with { Parameters = new SearchParameters(101, 101) })).Message, StringComparison.Ordinal);

        async Task<IOException> Fails(ShardQuery query) => await Assert.ThrowsAsync<IOException>(async () => await client.SearchAsync(Silo.Id, query, default, default));
    }

    [Fact]
    public async Task A_sample_that_is_too_large_is_refused_by_the_silo_that_would_send_it()
    {
        var replica = new ReplicaId(new ShardId("test", 0), Silo.Id);

        string failure = await FailureAsync(() => Client.SampleAsync(replica, Count, 1, default).AsTask());

        Assert.Contains("at most 1024", failure, StringComparison.Ordinal);
        using VectorBlock fits = await Client.SampleAsync(replica, 50, 1, default);
        Assert.Equal(50, fits.Count);
    }

    [Fact]
    public async Task An_answer_that_is_too_large_is_not_read()
    {
        using var client = new RemoteShardClient(_ => Silo.Address, Limits with { SearchAnswerBytes = 100 });

        Assert.Contains("at most 100", await FailureAsync(() => SearchAsync(client, Silo.Id)), StringComparison.Ordinal);
    }
}
