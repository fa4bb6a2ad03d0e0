using System.Globalization;
using System.Text;

namespace Signpost.Silo.Telemetry.Prometheus;

/// <summary>A form of the page.</summary>
/// <param name="ContentType">Its content type.</param>
/// <param name="IsOpenMetrics">Whether it is OpenMetrics 1.0; else the text format 0.0.4.</param>
internal sealed record TextForm(string ContentType, bool IsOpenMetrics)
{
    /// <summary>The text format that every Prometheus reads.</summary>
    public static readonly TextForm Plain = new("text/plain; version=0.0.4; charset=utf-8", false);

    /// <summary>OpenMetrics.</summary>
    public static readonly TextForm OpenMetrics = new("application/openmetrics-text; version=1.0.0; charset=utf-8", true);
}

/// <summary>
/// Metrics as text. The two forms differ in little: OpenMetrics names a counter without its _total in the head, tells the unit, escapes
/// quotes in the help, and says where the page ends.
/// </summary>
internal static class PageText
{
    /// <summary>The page of <paramref name="families"/>; those without a value are left out.</summary>
    public static string Of(IEnumerable<Family> families, TextForm form)
    {
        var text = new StringBuilder();
        foreach (Family family in families)
        {
            Series[] known = [.. family.Known];
            if (known.Length > 0)
            {
                WriteHead(text, family, form);
                Array.ForEach(known, series => WriteSeries(text, family, series));
            }
        }

        return form.IsOpenMetrics ? text.Append("# EOF\n").ToString() : text.ToString();
    }

    private static void WriteHead(StringBuilder text, Family family, TextForm form)
    {
        string name = family.Kind == FamilyKind.Counter && !form.IsOpenMetrics ? family.Name + "_total" : family.Name;
        string help = family.Help.Replace("\\", "\\\\").Replace("\n", "\\n");
        text.Append("# TYPE ").Append(name).Append(' ').Append(family.Kind.ToString().ToLowerInvariant()).Append('\n');
        if (form.IsOpenMetrics && family.Unit.Length > 0)
        {
            text.Append("# UNIT ").Append(name).Append(' ').Append(family.Unit).Append('\n');
        }

        text.Append("# HELP ").Append(name).Append(' ').Append(form.IsOpenMetrics ? help.Replace("\"", "\\\"") : help).Append('\n');
    }

    private static void WriteSeries(StringBuilder text, Family family, Series series)
    {
        switch (family.Kind)
        {
            case FamilyKind.Counter:
                WriteSample(text, family.Name + "_total", series, null, series.Read([]));
                break;
            case FamilyKind.Gauge:
                WriteSample(text, family.Name, series, null, series.Read([]));
                break;
            default:
                WriteHistogram(text, family, series);
                break;
        }
    }

    private static void WriteHistogram(StringBuilder text, Family family, Series series)
    {
        double[] bounds = family.Bounds!;
        Span<long> buckets = stackalloc long[bounds.Length + 1];
        double sum = series.Read(buckets);
        long count = 0;
        for (int i = 0; i < buckets.Length; i++)
        {
            count += buckets[i];
            WriteSample(text, family.Name + "_bucket", series, i < bounds.Length ? BoundText(bounds[i]) : "+Inf", count);
        }

        WriteSample(text, family.Name + "_sum", series, null, sum);
        WriteSample(text, family.Name + "_count", series, null, count);
    }

    private static void WriteSample(StringBuilder text, string name, Series series, string? bound, double value)
    {
        text.Append(name);
        char before = '{';
        foreach ((string label, string content) in series.Labels)
        {
            WriteLabel(label, content);
        }

        if (bound is not null)
        {
            WriteLabel("le", bound);
        }

        text.Append(before == '{' ? " " : "} ").Append(NumberText(value)).Append('\n');

        void WriteLabel(string label, string content)
        {
            string escaped = content.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
            text.Append(before).Append(LabelName(label)).Append("=\"").Append(escaped).Append('"');
            before = ',';
        }
    }

    private static string LabelName(string name)
    {
        string plain = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return char.IsAsciiDigit(plain[0]) ? "_" + plain : plain;
    }

    /// <summary>A bound has a point in both forms: it is a label, and must not differ between them.</summary>
    private static string BoundText(double bound)
    {
        string text = NumberText(bound);
        return text.AsSpan().ContainsAny(".eE") ? text : text + ".0";
    }

    private static string NumberText(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
