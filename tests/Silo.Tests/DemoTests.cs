using System.Text.Json;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

[Collection(UsesDemoCollection.Name)]
public sealed class DemoTests(DemoCollection demo)
{
    [Fact]
    public void The_demo_prints_one_json_object_with_the_promised_figures()
    {
        Assert.Equal(0, demo.Result.ExitCode);
        Assert.Equal(DemoCollection.Count, demo.Json.GetProperty("vectors").GetInt64());
        Assert.Equal(DemoCollection.Dim, demo.Json.GetProperty("dim").GetInt32());
        Assert.Equal(2, demo.Json.GetProperty("shards").GetInt32());
        foreach (string name in new[] { "qps", "p50_ms", "p99_ms", "resident_bytes_per_vector", "build_seconds" })
        {
            Assert.True(demo.Json.GetProperty(name).GetDouble() > 0, name);
        }
    }

    [Fact]
    public void The_demo_finds_nearly_all_true_neighbours()
    {
        Assert.InRange(demo.Json.GetProperty("recall_at_10").GetDouble(), 0.95, 1);
        foreach (JsonElement point in demo.Json.GetProperty("points").EnumerateArray())
        {
            Assert.InRange(point.GetProperty("recall_at_10").GetDouble(), 0.95, 1);
        }
    }

    [Fact]
    public void Memory_per_vector_is_edges_codes_and_an_id()
    {
        // 32 edges of 3 bytes, 8 bytes of code, 8 bytes of id, and a spare byte per shard.
        Assert.Equal((32 * 3) + 8 + 8 + (2.0 / DemoCollection.Count), demo.Json.GetProperty("resident_bytes_per_vector").GetDouble(), 1e-9);
    }

    [Fact]
    public void A_temporary_demo_removes_its_files()
    {
        using var folder = new TestFolder();
        string before = string.Join('\n', Directory.GetDirectories(Path.GetTempPath(), "signpost-demo-*"));
        Run run = SignpostProcess.Run(folder, "demo", "--count", "300", "--dim", "8", "--quantizer", "none", "--threads", "1", "--quiet");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("recall@10", run.Output);
        Assert.Contains("next:", run.Output);
        Assert.Equal("", run.Error);
        Assert.Equal(before, string.Join('\n', Directory.GetDirectories(Path.GetTempPath(), "signpost-demo-*")));
    }

    [BashFact]
    public void What_the_demo_says_to_type_next_can_be_typed()
    {
        using var folder = new TestFolder();
        Run run = SignpostProcess.Run(folder, "demo", "--folder", "my demo", "--count", "300", "--dim", "8", "--threads", "1", "--quiet");
        string[] lines = [.. run.Output.Split('\n').SkipWhile(line => line != "next:").Where(line => line.StartsWith("  ", StringComparison.Ordinal))];
        Assert.Equal(["eval", "search", "serve"], lines.Select(line => line.Split(' ').First(word => word is "eval" or "search" or "serve")));
        foreach (string line in lines[..^1])
        {
            Run next = SignpostProcess.RunOther("bash", folder, "-c", line);
            Assert.True(next.ExitCode == 0, $"{line}: {next.Error}");
        }

        Assert.True(File.Exists(folder.At("curves.html")));
    }
}
