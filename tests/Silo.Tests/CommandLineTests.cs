using Signpost.Engine.Build;
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
        Assert.Contains("--r: got '1000', expected 2 .. 255 edges", run.Error);
        Assert.Contains("--shards: got '0', expected 1 .. 4096 shards", run.Error);
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

    [Theory]
    [InlineData("cluster")]
    [InlineData("drain", "a")]
    [InlineData("rebalance")]
    public void Where_nobody_answers_the_address_is_told_and_what_to_look_at(params string[] command)
    {
        Run run = SignpostProcess.Run(_folder, [.. command, "--url", "http://127.0.0.1:9"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("http://127.0.0.1:9/ Connection refused", run.Error);
        Assert.Contains("See whether it runs", run.Error);
        Assert.DoesNotContain("defect", run.Error);
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
        foreach (string verb in new[] { "demo", "build", "search", "exact", "eval", "compare", "inspect", "serve" })
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

    [Theory]
    [InlineData("build", "--data", "a.fvecs", "--out", "taken", "--out: got the file")]
    [InlineData("build", "--data", "a.fvecs", "--out", "taken/below", "--out: got the file")]
    [InlineData("demo", "--count", "100", "--folder", "taken", "--folder: got the file")]
    [InlineData("exact", "--data", "a.fvecs", "--queries", "a.fvecs", "--out", "x.txt", "--out: got 'x.txt', expected a name that ends with .ivecs")]
    [InlineData("exact", "--data", "a.fvecs", "--queries", "a.fvecs", "--out", "no/x.ivecs", "--out: got 'no/x.ivecs' in a folder that does not exist")]
    [InlineData("search", "--collection", "c", "--query", "1", "--out", "no/x.ivecs", "--out: got 'no/x.ivecs' in a folder that does not exist")]
    [InlineData("eval", "--collection", "c", "--queries", "a.fvecs", "--html", "no/x.html", "--html: got 'no/x.html' in a folder that does not exist")]
    [InlineData("eval", "--collection", "c", "--queries", "a.fvecs", "--html", ".", "--html: got the folder '.'")]
    [InlineData("serve", "--collection", "c", "--url", "https://example.org:1", "--url: got 'https://example.org:1'")]
    [InlineData("serve", "--collection", "c", "--url", "http://127.0.0.1:65536", "PORT at most 65535")]
    [InlineData("serve", "--collection", "c", "--url", "http://example.com:7700", "HOST an address or localhost")]
    [InlineData("build", "--data", "a.fvecs", "--config", "no.yaml", "no.yaml: got no file")]
    public void What_cannot_be_is_refused_before_the_work_begins(params string[] argsAndMessage)
    {
        File.WriteAllBytes(_folder.At("a.fvecs"), [1, 0, 0, 0, 0, 0, 128, 63]); // one vector of one component
        File.WriteAllText(_folder.At("taken"), "");
        Run run = SignpostProcess.Run(_folder, argsAndMessage[..^1]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(argsAndMessage[^1], run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Equal(["a.fvecs", "taken"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_file_that_is_not_what_its_name_says_ends_with_code_3_and_a_way_to_mend_it()
    {
        File.WriteAllText(_folder.At("a.fvecs"), "hello, this is text");
        Run run = SignpostProcess.Run(_folder, "build", "--data", "a.fvecs", "--out", "out");
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("a.fvecs: at byte 0: got dimension", run.Error);
        Assert.EndsWith("write it again.\n", run.Error);
    }

    [Theory]
    [InlineData("r", 2, 255)]
    [InlineData("l", 8, 4096)]
    [InlineData("c", 8, 8192)]
    public void The_ranges_of_a_build_are_those_of_the_engine(string name, int least, int most)
    {
        Setting<int> setting = new[] { Settings.R, Settings.BuildL, Settings.C }.Single(s => s.Name == name);
        Assert.StartsWith($"{least} .. {most} ", setting.Expected);
        Assert.Empty(With(least).Validate());
        Assert.Empty(With(most).Validate());
        Assert.Single(With(least - 1).Validate());
        Assert.Single(With(most + 1).Validate());

        GraphOptions With(int value) => name switch
        {
            "r" => new GraphOptions { R = value },
            "l" => new GraphOptions { L = value },
            _ => new GraphOptions { C = value },
        };
    }
}
