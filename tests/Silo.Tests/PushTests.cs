using System.Text.Json;
using Signpost.Silo.Tests.S3;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

[Collection(UsesDemoCollection.Name)]
public sealed class PushTests(DemoCollection demo) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_collection_that_was_pushed_into_a_folder_answers_there_and_a_second_push_does_nothing()
    {
        JsonElement first = Push("--store", "store", "--json");
        JsonElement second = Push("--store", "store", "--json");

        Assert.Equal((5, 5, 0), (first.GetProperty("files").GetInt32(), first.GetProperty("files_sent").GetInt32(), second.GetProperty("files_sent").GetInt32()));
        Run there = SignpostProcess.Run(_folder, "search", "--collection", _folder.At("store", "demo"), "--queries", demo.Queries, "--json");
        Run here = SignpostProcess.Run(_folder, "search", "--collection", demo.Collection, "--queries", demo.Queries, "--json");
        Assert.Equal((0, ResultsOf(here)), (there.ExitCode, ResultsOf(there)));
        Assert.Contains("there already: demo in store, 5 files", SignpostProcess.Run(_folder, "push", "--collection", demo.Collection, "--store", "store").Output);
    }

    [S3Fact]
    public void A_collection_is_pushed_into_a_bucket()
    {
        using var server = new S3Server();
        string[] store = ["--store", $"s3://{S3Server.Bucket}/all", "--s3-endpoint", $"{server.Endpoint}", "--s3-credentials", server.Credentials, "--json"];

        JsonElement first = Push(store);
        JsonElement second = Push(store);

        Assert.Equal((5, 5, 0), (first.GetProperty("files").GetInt32(), first.GetProperty("files_sent").GetInt32(), second.GetProperty("files_sent").GetInt32()));
        foreach (string path in Directory.GetFiles(demo.Collection).Where(path => !path.EndsWith(".lock", StringComparison.Ordinal)))
        {
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(server.FileOf($"all/demo/{Path.GetFileName(path)}")));
        }
    }

    [Fact]
    public void What_cannot_be_pushed_is_refused_with_what_to_do()
    {
        Run without = SignpostProcess.Run(_folder, "push", "--collection", demo.Collection);
        Assert.Equal(2, without.ExitCode);
        Assert.Contains("--store: got none, expected a folder or s3://BUCKET/PREFIX", without.Error);
        Assert.Equal(2, SignpostProcess.Run(_folder, "push", "--collection", "nothing", "--store", "store").ExitCode);
        Run keys = SignpostProcess.Run(_folder, "push", "--collection", demo.Collection, "--store", "s3://b", "--s3-credentials", "nothing");
        Assert.Equal(2, keys.ExitCode);
        Assert.Contains("nothing: got no file", keys.Error);
    }

    private static string ResultsOf(Run run) => JsonDocument.Parse(run.Output).RootElement.GetProperty("results").ToString();

    private JsonElement Push(params string[] store)
    {
        Run run = SignpostProcess.Run(_folder, ["push", "--collection", demo.Collection, .. store]);
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }
}
