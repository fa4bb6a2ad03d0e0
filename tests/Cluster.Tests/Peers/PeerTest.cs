using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Peers;

/// <summary>A silo "b" with a collection of 300 vectors in two shards, and a client that asks it over HTTP/2.</summary>
public abstract class PeerTest : ShardTest, IAsyncLifetime
{
    protected const int Count = 300;

    /// <summary>A test that waits longer has found a hang.</summary>
    protected static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    protected VectorBlock Vectors { get; } = Bytes(Count, range: 3);

    protected Collection Collection { get; private set; } = null!;

    internal PeerSilo Silo { get; private set; } = null!;

    internal RemoteShardClient Client { get; private set; } = null!;

    /// <summary>Limits of the silo and of the client.</summary>
    private protected virtual WireLimits Limits => new();

    private protected virtual int QueueMax => 4096;

    public virtual async Task InitializeAsync()
    {
        var codes = new QuantizerOptions { M = 4, K = 16, Iterations = 2, TrainingVectors = 256 };
        Build(Vectors, Options(shards: 2) with { Quantizer = QuantizerKind.Pq, Codes = codes });
        Collection = Open();
        Silo = await PeerSilo.StartAsync("b", asked => asked == "test" ? Collection : null, Limits, queue: QueueMax);
        Client = new RemoteShardClient(_ => Silo.Address, Limits);
    }

    public virtual async Task DisposeAsync()
    {
        Client.Dispose();
        await Silo.DisposeAsync();
        Collection.Dispose();
        Vectors.Dispose();
    }

    /// <summary>Asks for both shards; the vector of <paramref name="row"/>.</summary>
    private protected ShardQuery Asked(int row, SearchParameters parameters, uint version = 1) => new(
        "test", Collection.Shards.Select(s => new ShardSlots(s.Entry.Id, s.Slots)).ToArray(), QueryOf(row), parameters, version, new Hit[Math.Max(0, parameters.K)]);

    private protected Query QueryOf(int row)
    {
        Query query = Collection.NewQuery();
        query.SetRow(Vectors.RowSpan(row));
        return query;
    }

    private protected Task<ShardAnswer> SearchAsync(IShardClient client, SiloId silo, int row = 3, Deadline deadline = default, CancellationToken cancel = default) =>
        client.SearchAsync(silo, Asked(row, new SearchParameters(10, 40)), deadline, cancel).AsTask().WaitAsync(Hang, CancellationToken.None);

    /// <summary>The failure of a call, which must not hang, must be one that trainings and coordinators expect, and must name the silo.</summary>
    private protected async Task<string> FailureAsync(Func<Task> call)
    {
        IOException failure = await Assert.ThrowsAsync<IOException>(() => call().WaitAsync(Hang));
        Assert.StartsWith(Silo.Id.ToString(), failure.Message, StringComparison.Ordinal);
        return failure.Message;
    }

    /// <summary>The silo answers as ever.</summary>
    private protected async Task AssertServesAsync()
    {
        ShardAnswer answer = await SearchAsync(Client, Silo.Id);
        Assert.Equal(Nearest(Vectors, Vectors.RowSpan(3), 10), answer.Hits.ToArray());
    }
}
