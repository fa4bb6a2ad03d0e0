using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Http;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

/// <summary>How a drain is watched: what the silos say of the one that is drained differs for a moment.</summary>
public sealed class DrainCommandTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, "draining 3", "serving 4", "draining 3", "gone")] // in between a silo answered that had not heard of it
    [InlineData(2, "draining 3", "serving")]
    public async Task What_a_silo_says_that_has_not_heard_of_the_drain_does_not_end_the_watching_and_what_all_go_on_saying_does(int exitCode, params string[] story)
    {
        string[] states = [.. story.Select(part => part.Split(' ')).SelectMany(part => Enumerable.Repeat(part[0], part.Length == 1 ? 1 : int.Parse(part[1], CultureInfo.InvariantCulture)))];
        int looks = -1;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using WebApplication app = builder.Build();
        app.Use((context, next) =>
        {
            context.Response.Headers["Signpost-Api"] = "1";
            return next(context);
        });
        app.MapGet("/v1/cluster", context => context.Response.WriteAsJsonAsync(
            Cluster(looks < 0 ? "serving" : states[Math.Min(Interlocked.Increment(ref looks), states.Length) - 1]), Wire.Json.ClusterReply));
        app.MapPost("/v1/admin/drain", context =>
        {
            looks = 0;
            return context.Response.WriteAsJsonAsync(
                new DrainReply("a", "draining", new PlanReply { Moves = [], Silos = [], Bytes = 0, MinimumBytes = 0 }), Wire.Json.DrainReply);
        });
        await app.StartAsync();

        Run run = await Task.Run(() => SignpostProcess.Run(_folder, "drain", "a", "--url", app.Urls.First(), "--quiet"));

        Assert.True(exitCode == run.ExitCode, run.Error);
        Assert.Equal(exitCode == 2, run.Error.Contains("does not drain any more", StringComparison.Ordinal));
        Assert.True(looks >= states.Length, $"{looks} looks");

        ClusterReply Cluster(string state) => new()
        {
            Cluster = "test",
            Runtime = "redis",
            Silo = "b",
            Version = "0.1.0",
            Api = 1,
            Silos = [.. new[] { Silo("a", state), Silo("b", "serving") }.Where(silo => silo.State != "gone")],
            Collections = [new ClusterCollectionReply("c", 1, 0, 1, [new ShardReply(0, 0, 16384, 1, state != "gone" ? [new ReplicaReply("a", 1, "serving", "")] : [])], [])],
        };

        SiloReply Silo(string name, string state) => new()
        {
            Name = name,
            Url = app.Urls.First(),
            State = state,
            Epoch = 1,
            MemoryBytes = 1,
            ResidentBytes = 1,
            Waiting = 0,
            Shards = 1,
        };
    }
}
