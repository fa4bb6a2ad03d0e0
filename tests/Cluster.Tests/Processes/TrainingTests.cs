using System.Text.Json;
using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Tests.S3;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>A collection of a cluster gets other codes while it is searched, and whoever dies meanwhile, no query is the worse for it.</summary>
public sealed class TrainingTests(DemoCollection demo) : IClassFixture<DemoCollection>, IDisposable
{
    private const int K = 10;

    /// <summary>On codes alone, so that codes of two versions, mixed, would answer what neither version does.</summary>
    private static readonly SearchOptions OnCodes = new() { K = K, L = 64, Mode = SearchMode.Codes, RequireFull = true };

    private static readonly SearchOptions Reranked = OnCodes with { Mode = SearchMode.CodesRerank };

    private static readonly string[] Opq = ["--method", "opq", "--m", "8", "--seed", "7"];
    private static readonly string[] Rpq = ["--method", "rpq", "--m", "8", "--steps", "20", "--training-queries", "256"];

    private static readonly string[] Silos = ["silo-1", "silo-2", "silo-3"];

    /// <summary>All but the first, which is over before anybody can be killed.</summary>
    public static TheoryData<TrainingStep> Steps => [.. Enum.GetValues<TrainingStep>().Except([TrainingStep.Ordered])];

    private readonly RedisServer _redis = new();
    private readonly TestFolder _folder = new();

    public void Dispose()
    {
        _redis.Dispose();
        _folder.Dispose();
    }

    [RedisFact]
    public async Task Queries_turn_to_new_codes_at_once_and_none_fails_and_a_second_training_is_refused()
    {
        Copy();
        using var cluster = new SiloCluster(3, _folder.At("all"), Redis);
        await cluster.UntilWholeAsync("silo-1");
        float[][] vectors = demo.QueryVectors(50);
        string[] before = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes);
        double baseline = Recall(await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, Reranked), demo.Truth(vectors, K));
        await using (var queries = new SteadyQueries(cluster.Client, "demo", vectors, 50, OnCodes))
        {
            await queries.MoreAsync(20);
            Run begun = Train(cluster, "silo-2", [.. Rpq, "--detach"]);
            Assert.True(begun.ExitCode == 0, begun.Error);
            Run second = Train(cluster, "silo-3", Opq);
            Assert.Equal(2, second.ExitCode);
            Assert.Contains("Busy", second.Error, StringComparison.Ordinal);
            Run split = SignpostProcess.Run(_folder, "split", "demo", "0", "--store", _folder.At("all"), "--quiet");
            Assert.Equal(2, split.ExitCode); // the trainer has the right to write in the folder
            await cluster.UntilAsync("silo-3", c => TrainingOf(c)?.State == "done", "the training ends");
            await queries.MoreAsync(50);
            string[] after = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes);
            MustBeClean(queries, before, after);
            string[] reranked = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, Reranked);
            Assert.InRange(Recall(reranked, demo.Truth(vectors, K)) - baseline, -0.005, 1);
        }

        TrainingInfo training = TrainingOf(await cluster.AskAsync("silo-1"))!;
        Assert.Equal((1, "silo-2", "rpq", 2u, 0), (training.Number, training.Silo, training.Method, training.CodesVersion, training.Resumed));
        Assert.Contains(training.Points, point => point.Loss is > 0);
        Assert.InRange(training.BestRecall!.Value, training.StartRecall!.Value, 1);
        Assert.Equal(FilesOf(Path.Combine("all", "demo")).Order(), FilesWithoutLitter(Path.Combine("all", "demo")));

        Run stopped = SignpostProcess.Run(_folder, "train", "--collection", "demo", "--url", cluster.Url("silo-1"), "--stop");
        Assert.Equal(2, stopped.ExitCode); // there is none
    }

    [RedisTheory]
    [MemberData(nameof(Steps))]
    public Task A_trainer_that_is_killed_at_any_step_is_followed_by_another_that_ends_with_the_same_codes(TrainingStep step) =>
        KillAsync(step, leader => new Roles("silo-2", "silo-2"));

    /// <summary>The leader turns the queries; another one leads, and does so.</summary>
    [LongTheory]
    [Trait("Long", "true")]
    [MemberData(nameof(Steps))]
    public Task A_leader_that_is_killed_at_any_step_of_anothers_training_is_followed_by_another(TrainingStep step) =>
        KillAsync(step, leader => new Roles(Silos.First(silo => silo != leader), leader));

    /// <summary>What it was to encode or to open, another copy does.</summary>
    [LongTheory]
    [Trait("Long", "true")]
    [MemberData(nameof(Steps))]
    public Task A_silo_of_shards_that_is_killed_at_any_step_of_anothers_training_does_not_end_it(TrainingStep step) =>
        KillAsync(step, leader => new Roles(leader, Silos.Last(silo => silo != leader)));

    private async Task KillAsync(TrainingStep step, Func<string, Roles> choose)
    {
        Copy();
        string expected = TrainAlone(Opq);
        using var cluster = new SiloCluster(3, _folder.At("all"), Redis);
        await cluster.UntilWholeAsync("silo-1");
        Roles roles = choose((await cluster.AskAsync("silo-1")).Leader!);
        string survivor = Silos.First(silo => silo != roles.Killed);
        float[][] vectors = demo.QueryVectors(50);
        string[] before = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes);
        await using (var queries = new SteadyQueries(cluster.Client, "demo", vectors, 30, OnCodes))
        {
            await queries.MoreAsync(20);
            using SignpostProcess command = Start(cluster, roles.Trainer, Opq);
            UntilStep(step);
            cluster.Signal(roles.Killed, SiloCluster.Kill);

            Run run = command.End(); // where its silo was killed it asks the others
            Assert.True(run.ExitCode == 0, run.Error);
            Assert.Equal("done", JsonDocument.Parse(run.Output).RootElement.GetProperty("state").GetString());
            await cluster.UntilAsync(survivor, c => c.Collections[0].CodesVersion == 2, "queries have turned");
            cluster.Start(roles.Killed);
            await cluster.UntilWholeAsync(survivor);
            await queries.MoreAsync(30);
            MustBeClean(queries, before, await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes));
        }

        Assert.Equal(2u, (await cluster.AskAsync(roles.Killed)).Collections[0].CodesVersion);
        Assert.Equal(FilesOf("alone").Order(), FilesWithoutLitter(Path.Combine("all", "demo")));
        foreach (string file in FilesOf("alone").Where(file => file != CollectionManifest.FileName))
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(expected, file)), File.ReadAllBytes(_folder.At("all", "demo", file)));
        }
    }

    [ClusterOnS3Fact]
    public async Task On_a_bucket_codes_are_made_once_and_fetched_by_the_others_and_a_killed_trainer_is_followed_by_another()
    {
        using var s3 = new S3Server();
        string[] store = ["--s3-endpoint", $"{s3.Endpoint}", "--s3-credentials", s3.Credentials];
        Run pushed = SignpostProcess.Run(_folder, ["push", "--collection", demo.Collection, "--store", $"s3://{S3Server.Bucket}/all", .. store]);
        Assert.True(pushed.ExitCode == 0, pushed.Error);
        using var cluster = new SiloCluster(3, $"s3://{S3Server.Bucket}/all", Redis, name => [.. store, "--cache", _folder.At(name)]);
        await cluster.UntilWholeAsync("silo-1");
        float[][] vectors = demo.QueryVectors(50);
        string[] before = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes);
        await using (var queries = new SteadyQueries(cluster.Client, "demo", vectors, 30, OnCodes))
        {
            await queries.MoreAsync(20);
            Run first = Train(cluster, "silo-2", Rpq);
            Assert.True(first.ExitCode == 0, first.Error);
            string[] between = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes);
            MustBeClean(queries, before, between);
            before = [.. before.Zip(between, (one, other) => $"{one}|{other}")];

            using SignpostProcess command = Start(cluster, "silo-2", Opq);
            await cluster.UntilAsync("silo-1", c => TrainingOf(c) is { Number: 2, State: "running" }, "the second training runs");
            cluster.Signal("silo-2", SiloCluster.Kill);
            Run run = command.End();
            Assert.True(run.ExitCode == 0, run.Error);
            await queries.MoreAsync(30);
            MustBeClean(queries, before, await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes));
        }

        TrainingInfo training = TrainingOf(await cluster.AskAsync("silo-1"))!;
        Assert.Equal((2, "done", 3u), (training.Number, training.State, training.CodesVersion));
        CollectionManifest manifest = ManifestFile.Parse(File.ReadAllBytes(s3.FileOf($"all/demo/{CollectionManifest.FileName}")), "manifest");
        string[] there = [.. Directory.EnumerateFiles(Path.GetDirectoryName(s3.FileOf("all/demo/x"))!, "*._S3rver_object").Select(file => Path.GetFileName(file)[..^"._S3rver_object".Length])];
        Assert.Equal(manifest.Files.Append(CollectionManifest.FileName).Append(TrainingRecord.FileName).Order(), there.Order());
    }

    private string Redis => $"127.0.0.1:{_redis.Port}";

    private static TrainingInfo? TrainingOf(ClusterInfo cluster) => cluster.Trainings.FirstOrDefault(training => training.Collection == "demo");

    private static Run Train(SiloCluster cluster, string silo, string[] method)
    {
        using SignpostProcess process = Start(cluster, silo, method);
        return process.End();
    }

    private static SignpostProcess Start(SiloCluster cluster, string silo, string[] method) => SignpostProcess.Start(
        AppContext.BaseDirectory, ["train", "--collection", "demo", "--url", cluster.Url(silo), .. method, "--json", "--quiet"]);

    /// <summary>Every query had all shards and no failure, and its answer was that of the one version or of the other.</summary>
    private static void MustBeClean(SteadyQueries queries, string[] before, string[] after)
    {
        Assert.Empty(queries.Failures);
        Assert.Equal(0, queries.Partial);
        foreach ((IEnumerable<string> answers, string one, string other) in queries.Answers.Zip(before, after))
        {
            Assert.Empty(answers.Except([.. one.Split('|'), other]));
        }
    }

    private void Copy()
    {
        foreach (string folder in (string[])[_folder.At("all", "demo"), _folder.At("alone")])
        {
            Directory.CreateDirectory(folder);
            foreach (string file in Directory.EnumerateFiles(demo.Collection))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }
        }
    }

    /// <summary>The same training in one process; the folder in which it ends.</summary>
    private string TrainAlone(string[] method)
    {
        Run run = SignpostProcess.Run(_folder, ["train", "--collection", _folder.At("alone"), .. method, "--json", "--quiet"]);
        Assert.True(run.ExitCode == 0, run.Error);
        return _folder.At("alone");
    }

    /// <summary>Returns as soon as the store has it that the training is at a step, or beyond.</summary>
    private void UntilStep(TrainingStep step)
    {
        for (long start = Environment.TickCount64; Environment.TickCount64 - start < 60_000;)
        {
            string file = _folder.At("all", "demo", TrainingRecord.FileName);
            if (File.Exists(file) && TrainingRecord.Read(File.ReadAllBytes(file))?.Step >= step)
            {
                return;
            }
        }

        Assert.Fail($"no {step} within a minute");
    }

    private string[] FilesOf(string folder) =>
        [.. ManifestFile.Parse(File.ReadAllBytes(_folder.At(folder, CollectionManifest.FileName)), folder).Files, CollectionManifest.FileName];

    /// <summary>What is in a folder but locks and the record of the training.</summary>
    private IEnumerable<string> FilesWithoutLitter(string folder) => Directory.EnumerateFiles(_folder.At(folder)).Select(file => Path.GetFileName(file))
        .Where(name => Path.GetExtension(name) != ".lock" && name != TrainingRecord.FileName).Order();

    private static double Recall(string[] answers, int[][] truth) => answers
        .Zip(truth, (answer, t) => (double)answer.Split(' ').Select(hit => int.Parse(hit.Split(':')[0])).Intersect(t).Count() / t.Length).Average();

    private sealed record Roles(string Trainer, string Killed);
}
