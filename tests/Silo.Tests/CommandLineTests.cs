using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_bad_option_is_named_at_once_with_its_range()
    {
        Run run = SignpostProcess.Run(_folder, "build", "--data", "a.fvecs", "--r", "1000", "--shards", "0", "--metric", "l3");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--r: got '1000', expected 4 .. 255 edges", run.Error);
        Assert.Contains("--shards: got '0', expected 1 .. 1024 shards", run.Error);
        Assert.Contains("--metric: got 'l3', expected l2 | ip | cosine", run.Error);
        Assert.Equal("", run.Output);
    }

    [Theory]
    [InlineData("buidl", "'build'")]
    [InlineData("serch", "'search'")]
    public void A_mistyped_command_gets_a_suggestion(string word, string suggestion)
    {
        Run run = SignpostProcess.Run(_folder, word);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"did you mean {suggestion}?", run.Error);
    }

    [Fact]
    public void A_mistyped_option_gets_a_suggestion()
    {
        Run run = SignpostProcess.Run(_folder, "exact", "--data", "a.fvecs", "--querys", "b.fvecs", "--out", "t.ivecs");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("did you mean '--queries'?", run.Error);
    }

    [Fact]
    public void Help_names_every_command_and_costs_nothing()
    {
        Run run = SignpostProcess.Run(_folder, "--help");
        Assert.Equal(0, run.ExitCode);
        foreach (string verb in new[] { "demo", "build", "search", "exact", "eval", "inspect", "serve" })
        {
            Assert.Contains($"  {verb}", run.Output);
        }
    }

    [Fact]
    public void A_missing_file_is_refused_by_name()
    {
        Run run = SignpostProcess.Run(_folder, "build", "--data", "nothing.fvecs", "--out", "out");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("nothing.fvecs", run.Error);
        Assert.False(Directory.Exists(_folder.At("out")));
    }

    [Fact]
    public void Every_fault_of_the_settings_file_is_named_at_once_with_its_line()
    {
        File.WriteAllText(_folder.At("cluster.yaml"), "threads: 0\nserch:\n  l: 3\nsearch:\n  l: abc\n  mode: fast\nserve: [1]\n");
        Run run = SignpostProcess.Run(_folder, "exact", "--data", "a.fvecs", "--queries", "b.fvecs", "--out", "t.ivecs");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(
            [
                "cluster.yaml:1: threads: got '0', expected 1 .. 1024 threads or all",
                "cluster.yaml:2: serch: unknown setting; did you mean search?",
                "cluster.yaml:5: search.l: got 'abc', expected 1 .. 65536 candidates",
                "cluster.yaml:6: search.mode: got 'fast', expected auto | exact | codes | codes+rerank",
                "cluster.yaml:7: serve: got a list, expected keys with values",
            ],
            run.Error.TrimEnd().Split('\n'));
    }
}
