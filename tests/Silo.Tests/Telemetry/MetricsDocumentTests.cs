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
        string alarms = File.ReadAllText(Repository.At("deploy", "prometheus", "alerts.yaml"));
        Assert.Equal([], AnyMetric().Matches(Document + alarms).Select(match => match.Value).Where(name => !known.Contains(name)));
    }

    private static string Document => File.ReadAllText(Repository.At("docs", "operations.md"));

    private static string NameOf(Family family) => family.Kind == FamilyKind.Counter ? family.Name + "_total" : family.Name;

    private List<Family> All()
    {
        using var threads = new SearchThreads(1, 1);
        using var telemetry = new SiloTelemetry(new TelemetryOptions { Silo = "local" }, threads, _ => { });
        using SegmentCache cache = SegmentCache.Direct(new DirectorySegmentStore(FileDisk.Instance, _folder));
        using var served = new ServedFolders(_folder, new Dictionary<string, OpenCollection>(), new EmbeddedClusterState(), 1, _ => { });
        telemetry.Observe(served, cache);
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
