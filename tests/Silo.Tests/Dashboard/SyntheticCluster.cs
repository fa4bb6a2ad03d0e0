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

    /// <summary>Trainings that it tells of.</summary>
    public TrainingReply[] Trainings { get; set; } = [];

    public static TrainingReply Training(string collection, string state, TrainingPointReply[] points) => new()
    {
        Collection = collection,
        Number = 4,
        State = state,
        Silo = "silo-1",
        Method = "rpq",
        Step = "learning",
        Phase = "learn RPQ",
        PhaseDone = 100,
        PhaseTotal = 200,
        CodesVersion = 5,
        Seconds = 83.2,
        Resumed = 1,
        Sampled = 0,
        StartRecall = points.Length > 0 ? points[0].Recall : null,
        BestRecall = points.Max(point => point.Recall),
        Points = points,
    };

    /// <summary>Losses that fall from 1 by a hundredth, and a recall that rises from 0.6.</summary>
    public static TrainingPointReply[] Learning(int losses) =>
    [
        new(0, null, 0.6),
        .. Enumerable.Range(1, losses).Select(i => i == losses ? new TrainingPointReply(5 * i, null, 0.6 + (0.00195 * i)) : new TrainingPointReply(5 * i, 1 - (0.01 * i), null)),
        new(5 * losses, 1 - (0.01 * losses), null),
    ];

    public static async Task<SyntheticCluster> StartAsync(int silos, int shards)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        Signpost.Silo.Http.Dashboard.Map(app);
        ClusterReply cluster = Make(silos, shards);
        var synthetic = new SyntheticCluster(app);
        app.MapGet("/v1/cluster", context => context.Response.WriteAsJsonAsync(cluster with { Trainings = synthetic.Trainings }, Signpost.Silo.Http.Wire.Json.ClusterReply));
        app.MapGet("/v1/collections", context => context.Response.WriteAsJsonAsync(new CollectionsReply([Collection(shards)]), Signpost.Silo.Http.Wire.Json.CollectionsReply));
        await app.StartAsync();
        return synthetic;
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
