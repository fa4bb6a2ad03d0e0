using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Signpost.Silo.Http;

namespace Signpost.Silo.Tests.Dashboard;

/// <summary>The real page over a cluster that is not there: as many silos and shards as a test wants.</summary>
internal sealed class SyntheticCluster : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SyntheticCluster(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public static async Task<SyntheticCluster> StartAsync(int silos, int shards)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        Signpost.Silo.Http.Dashboard.Map(app);
        ClusterReply cluster = Make(silos, shards);
        app.MapGet("/v1/cluster", context => context.Response.WriteAsJsonAsync(cluster, Signpost.Silo.Http.Wire.Json.ClusterReply));
        app.MapGet("/v1/collections", context => context.Response.WriteAsJsonAsync(new CollectionsReply([Collection(shards)]), Signpost.Silo.Http.Wire.Json.CollectionsReply));
        await app.StartAsync();
        return new SyntheticCluster(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static CollectionReply Collection(int shards) => new()
    {
        Name = "documents",
        Vectors = 1_000_000L * shards,
        Dim = 768,
        ElementType = "float32",
        Metric = "cosine",
        Shards = shards,
        Quantizer = "rpq",
        ResidentBytesPerVector = 152,
    };

    private static ClusterReply Make(int silos, int shards)
    {
        var random = new Random(5);
        SiloReply[] all =
        [
            .. Enumerable.Range(0, silos).Select(i => new SiloReply
            {
                Name = $"silo-{i}",
                Url = $"http://10.0.{i / 250}.{i % 250}:7700",
                Zone = $"rack-{i % 4}",
                State = i == 3 ? "leaving" : "serving",
                Epoch = 10 + i,
                MemoryBytes = 64L << 30,
                ResidentBytes = (long)((0.5 + (random.NextDouble() * 0.45)) * (64L << 30)),
                Waiting = random.Next(6),
                Shards = 2 * shards / silos,
            }),
        ];
        ShardReply[] cut =
        [
            .. Enumerable.Range(0, shards).Select(i => new ShardReply(
                i, (int)(16384L * i / shards), (int)(16384L * (i + 1) / shards), 1_000_000,
                [Replica(all[i % silos], i, 0), Replica(all[((i * 7) + 1 + (i / silos)) % silos], i, 1)])),
        ];
        return new ClusterReply
        {
            Cluster = "production",
            Runtime = "redis",
            Silo = "silo-0",
            Version = "0.1.0",
            Api = 1,
            Leader = "silo-2",
            Silos = all,
            Collections = [new ClusterCollectionReply("documents", 412, 3, 1_000_000L * shards, cut, [])],
        };
    }

    private static ReplicaReply Replica(SiloReply silo, int shard, int copy) => (shard + copy) % 173 == 0
        ? new ReplicaReply(silo.Name, silo.Epoch, "unavailable", "need 9 GiB, have 4 GiB")
        : new ReplicaReply(silo.Name, silo.Epoch, (shard + copy) % 97 == 0 ? "opening" : "serving", null);
}
