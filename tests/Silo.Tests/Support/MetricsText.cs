using System.Globalization;
using System.Text.RegularExpressions;

namespace Signpost.Silo.Tests.Support;

/// <summary>A sample of a metrics page.</summary>
internal sealed record MetricSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>Labels but for the bound of a bucket, in order.</summary>
    public string Series => string.Join(',', Labels.Where(label => label.Key != "le").OrderBy(label => label.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
}

/// <summary>A metric of a page.</summary>
internal sealed record MetricFamily(string Name, string Type, string Help, string Unit, List<MetricSample> Samples);

/// <summary>
/// A strict reader of the Prometheus text format 0.0.4 and of OpenMetrics 1.0: whatever either of them forbids fails the test.
/// </summary>
internal static partial class MetricsText
{
    /// <summary>Reads a page; every rule that it breaks is a failed assertion with its line.</summary>
    public static IReadOnlyDictionary<string, MetricFamily> Parse(string page, bool isOpenMetrics)
    {
        Assert.EndsWith("\n", page, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', page);
        List<string> lines = [.. page.TrimEnd('\n').Split('\n')];
        if (isOpenMetrics)
        {
            Assert.Equal("# EOF", lines[^1]);
            lines.RemoveAt(lines.Count - 1);
        }

        var families = new Dictionary<string, MetricFamily>();
        MetricFamily? current = null;
        foreach (string line in lines)
        {
            if (line.StartsWith('#'))
            {
                Match head = HeadLine().Match(line);
                Assert.True(head.Success, line);
                if (head.Groups[2].Value != current?.Name)
                {
                    current = new MetricFamily(head.Groups[2].Value, "", "", "", []);
                    Assert.True(families.TryAdd(current.Name, current), $"twice, or not in one piece: {line}");
                }

                Assert.True(current.Samples.Count == 0, $"after a sample: {line}");
                current = families[current.Name] = WithHead(current, head.Groups[1].Value, head.Groups[3].Value, line);
                continue;
            }

            MetricSample sample = ReadSample(line);
            Assert.NotNull(current);
            Assert.True(IsOf(current, sample.Name, isOpenMetrics), $"{line}: not of {current.Name}");
            current.Samples.Add(sample);
        }

        foreach (MetricFamily family in families.Values)
        {
            Check(family, isOpenMetrics);
        }

        return families;
    }

    private static MetricFamily WithHead(MetricFamily family, string word, string rest, string line)
    {
        switch (word)
        {
            case "TYPE":
                Assert.True(family.Type.Length == 0 && rest is "counter" or "gauge" or "histogram", line);
                return family with { Type = rest };
            case "UNIT":
                Assert.True(family.Unit.Length == 0 && family.Name.EndsWith("_" + rest, StringComparison.Ordinal), line);
                return family with { Unit = rest };
            default:
                Assert.True(family.Help.Length == 0 && rest.Length > 0, line);
                return family with { Help = rest };
        }
    }

    private static MetricSample ReadSample(string line)
    {
        Match match = SampleLine().Match(line);
        Assert.True(match.Success, line);
        var labels = new Dictionary<string, string>();
        string rest = match.Groups[2].Value;
        while (rest.Length > 0)
        {
            Match label = Label().Match(rest);
            Assert.True(label.Success, $"{line}: {rest}");
            string value = Escape().Replace(label.Groups[2].Value, escape => escape.Value[1] == 'n' ? "\n" : escape.Value[1..]);
            Assert.True(labels.TryAdd(label.Groups[1].Value, value), $"a label twice: {line}");
            rest = rest[label.Length..];
        }

        double number = match.Groups[3].Value switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            "NaN" => double.NaN,
            var text => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
        };
        return new MetricSample(match.Groups[1].Value, labels, number);
    }

    private static bool IsOf(MetricFamily family, string sample, bool isOpenMetrics) => family.Type switch
    {
        "counter" => sample == (isOpenMetrics ? family.Name + "_total" : family.Name),
        "histogram" => sample.StartsWith(family.Name, StringComparison.Ordinal) && sample[family.Name.Length..] is "_bucket" or "_sum" or "_count",
        "gauge" => sample == family.Name,
        _ => false,
    };

    private static void Check(MetricFamily family, bool isOpenMetrics)
    {
        Assert.True(family.Type.Length > 0 && family.Help.Length > 0 && family.Samples.Count > 0, family.Name);
        Assert.Equal(family.Samples.Count, family.Samples.Select(s => $"{s.Name}{{{s.Series}}}{s.Labels.GetValueOrDefault("le")}").Distinct().Count());
        Assert.True(isOpenMetrics || family.Type != "counter" || family.Name.EndsWith("_total", StringComparison.Ordinal), family.Name);
        Assert.All(family.Samples.Where(_ => family.Type == "counter"), sample => Assert.True(sample.Value >= 0, family.Name));
        if (family.Type == "histogram")
        {
            foreach (IGrouping<string, MetricSample> series in family.Samples.GroupBy(sample => sample.Series))
            {
                CheckHistogram(family.Name, [.. series]);
            }
        }
        else
        {
            Assert.DoesNotContain(family.Samples, sample => sample.Labels.ContainsKey("le"));
        }
    }

    private static void CheckHistogram(string name, MetricSample[] series)
    {
        MetricSample[] buckets = [.. series.Where(sample => sample.Name == name + "_bucket")];
        double[] bounds = [.. buckets.Select(b => b.Labels["le"] == "+Inf" ? double.PositiveInfinity : double.Parse(b.Labels["le"], CultureInfo.InvariantCulture))];
        Assert.Equal(bounds.Distinct().Order(), bounds);
        Assert.Equal(double.PositiveInfinity, bounds[^1]);
        Assert.Equal(buckets.Select(b => b.Value).Order(), buckets.Select(b => b.Value));
        Assert.Equal(buckets[^1].Value, Assert.Single(series, sample => sample.Name == name + "_count").Value);
        Assert.Single(series, sample => sample.Name == name + "_sum");
        Assert.Equal(buckets.Length + 2, series.Length);
    }

    [GeneratedRegex(@"^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$")]
    private static partial Regex HeadLine();

    [GeneratedRegex(@"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^""\\}]|""(?:[^""\\]|\\[n""\\])*"")*)\})? (\+Inf|-Inf|NaN|-?[0-9.]+(?:E[+-]?[0-9]+)?)$")]
    private static partial Regex SampleLine();

    [GeneratedRegex(@"^([a-zA-Z_][a-zA-Z0-9_]*)=""((?:[^""\\]|\\[n""\\])*)""(?:,|$)")]
    private static partial Regex Label();

    [GeneratedRegex(@"\\.")]
    private static partial Regex Escape();
}
