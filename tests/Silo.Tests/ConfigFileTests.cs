using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

public sealed class ConfigFileTests
{
    [Fact]
    public void The_file_of_the_repository_lists_every_setting_with_its_default()
    {
        string path = Repository.At("cluster.yaml");
        ConfigFile file = ConfigFile.Load(path);
        Assert.Empty(file.Errors);
        foreach (Setting setting in Settings.InFile)
        {
            // One without a default stands in a comment: there is nothing that the line could set.
            string key = setting.YamlPath!.Split('.')[^1];
            Assert.Contains(File.ReadLines(path), line => setting.FallbackText.Length == 0
                ? line.TrimStart().StartsWith($"# {key}: ", StringComparison.Ordinal)
                : line.TrimStart().Split('#')[0].TrimEnd() == $"{key}: {setting.FallbackText}");
        }
    }

    [Fact]
    public void A_value_of_the_file_replaces_the_default()
    {
        ConfigFile file = ConfigFile.Parse("search:\n  l: 200\nserve:\n  url: http://0.0.0.0:80\n", "test.yaml");
        Assert.Empty(file.Errors);
        Assert.True(file.TryGet(Settings.L, out int l));
        Assert.Equal(200, l);
        Assert.True(file.TryGet(Settings.Url, out string? url));
        Assert.Equal("http://0.0.0.0:80", url);
        Assert.False(file.TryGet(Settings.K, out int k));
        Assert.Equal(Settings.K.Fallback, k);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    [InlineData("search:\n  # nothing set\n")]
    public void An_empty_file_or_section_sets_nothing(string yaml) => Assert.Empty(ConfigFile.Parse(yaml, "test.yaml").Errors);

    [Theory]
    [InlineData("search: {l: 3", "test.yaml:")]
    [InlineData("threads: 1\nthreads: 2\n", "test.yaml:")]
    [InlineData("- 1\n", "test.yaml:1: the file: got a list")]
    public void What_is_not_a_map_of_settings_is_refused_with_its_line(string yaml, string start) =>
        Assert.StartsWith(start, Assert.Single(ConfigFile.Parse(yaml, "test.yaml").Errors));
}
