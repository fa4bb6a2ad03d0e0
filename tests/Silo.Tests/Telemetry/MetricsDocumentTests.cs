using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Silo.Telemetry;
using Signpost.Silo.Telemetry.Prometheus;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Telemetry;

/// <summary>docs/operations.md tells every metric there is, and no other.</summary>
public sealed partial class MetricsDocumentTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_metric_is_documented_with_its_type()
    {
        string[] documented = [.. TableLine().Matches(Document).Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value}").Order(StringComparer.Ordinal)];
        Assert.Equal(All().Select(family => $"{NameOf(family)} {family.Kind.ToString().ToLowerInvariant()}").Order(StringComparer.Ordinal), documented);
    }

    [Fact]
    public void Alarms_and_other_words_name_metrics_that_there_are()
    {
        HashSet<string> known = [.. All().SelectMany(family => family.Kind == FamilyKind.Histogram
            ? [family.Name, family.Name + "_bucket", family.Name + "_sum", family.Name + "_count"] : new[] { NameOf(family) })];
        Assert.Equal([], AnyMetric().Matches(Document).Select(match => match.Value).Where(name => !known.Contains(name)));
    }

    [PromtoolFact]
    public void The_alarms_are_rules_that_prometheus_takes()
    {
        string rules = Document.Split("```yaml\n").Select(block => block.Split("```")[0]).Single(block => block.StartsWith("groups:", StringComparison.Ordinal));
        File.WriteAllText(_folder.At("rules.yaml"), rules);

        Run check = SignpostProcess.RunOther("promtool", _folder, "check", "rules", "rules.yaml");

        Assert.True(check.ExitCode == 0, check.Output + check.Error);
        Assert.Contains("13 rules found", check.Output);
    }

    private static string Document => File.ReadAllText(Repository.At("docs", "operations.md"));

    private static string NameOf(Family family) => family.Kind == FamilyKind.Counter ? family.Name + "_total" : family.Name;

    private List<Family> All()
    {
        using var threads = new SearchThreads(1, 1);
        using var telemetry = new SiloTelemetry(new TelemetryOptions { Silo = "local" }, threads, _ => { });
        using SegmentCache cache = SegmentCache.Direct(new DirectorySegmentStore(FileDisk.Instance, _folder));
        telemetry.Observe(new ServedFolders(new Dictionary<string, OpenCollection>()), cache);
        var families = new List<Family>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter == telemetry.Instruments.Meter)
                {
                    families.Add(new Family(instrument));
                }
            },
        };
        listener.Start();
        return families;
    }

    [GeneratedRegex(@"^\| `(signpost_\w+)` \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex TableLine();

    [GeneratedRegex(@"\bsignpost_\w+")]
    private static partial Regex AnyMetric();
}
