using System.Globalization;
using System.Text;

namespace Signpost.Silo.Cli.Report;

/// <summary>A point of a curve.</summary>
/// <param name="Recall">0 .. 1, along the horizontal axis.</param>
/// <param name="Value">Above zero, along the vertical one.</param>
/// <param name="Tip">What is shown beside it, lines between bars.</param>
internal readonly record struct ChartPoint(double Recall, double Value, string Tip);

/// <summary>A curve.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Points">In the order in which they are joined.</param>
/// <param name="Colour">Number of its colour.</param>
/// <param name="Dash">Number of its dashes; 0: none.</param>
internal sealed record Curve(string Name, IReadOnlyList<ChartPoint> Points, int Colour, int Dash = 0)
{
    /// <summary>Classes of the style sheet.</summary>
    public string Classes => $"c{Colour % PageText.Colours} d{Dash % PageText.Dashes}";
}

/// <summary>
/// Draws speed, or what it costs, against recall as one SVG, a line per curve. Both axes are logarithmic, that of recall in what is missed, 1 - recall:
/// from 0.98 to 0.99 is as far as from 0.8 to 0.9, since both halve the misses.
/// </summary>
internal sealed class CurveChart
{
    private const double Width = 640;
    private const double Height = 400;
    private const double Left = 58;
    private const double Right = 16;
    private const double Top = 14;
    private const double Bottom = 46;
    private const double LabelRoom = 40;
    private const double Margin = 0.08; // of a decade, around the points

    /// <summary>The misses that stand for none, which a logarithm cannot show: half of those of the last tick before 1.</summary>
    private const double LeastMisses = 0.00005;

    private static readonly double[] RecallLabels = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1];

    /// <summary>Factors of a power of ten at which an axis of few decades is labelled.</summary>
    private static readonly int[] MinorFactors = [1, 2, 5];

    private readonly StringBuilder _svg = new();
    private readonly double _leastFound;
    private readonly double _mostFound;
    private readonly double _lowestLog;
    private readonly double _highestLog;

    private CurveChart(IReadOnlyList<ChartPoint> points)
    {
        (_leastFound, _mostFound) = Range([.. points.Select(p => Found(p.Recall))]);
        (_lowestLog, _highestLog) = Range([.. points.Select(Log)]);
    }

    /// <summary>The SVG element.</summary>
    /// <param name="curves">At least one point in all.</param>
    /// <param name="title">What it shows, for screen readers.</param>
    /// <param name="k">Neighbours of recall@k.</param>
    /// <param name="axis">What the vertical axis shows.</param>
    public static string Draw(IReadOnlyList<Curve> curves, string title, int k, string axis = "queries per second")
    {
        var chart = new CurveChart([.. curves.SelectMany(c => c.Points)]);
        chart.Add($"""<svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{PageText.Escape(title)}" xmlns="http://www.w3.org/2000/svg">""");
        chart.DrawAxes(k, axis);
        foreach (Curve curve in curves)
        {
            chart.DrawCurve(curve);
        }

        chart.Add($"</svg>");
        return chart._svg.ToString();
    }

    private static double Log(ChartPoint point) => Math.Log10(Math.Max(point.Value, 1e-3));

    /// <summary>The least and the most, with a margin, and at least half a decade apart.</summary>
    private static (double Least, double Most) Range(double[] logs)
    {
        (double least, double most) = (logs.Min() - Margin, logs.Max() + Margin);
        double narrow = Math.Max(0, 0.5 - (most - least));
        return (least - (narrow / 2), most + (narrow / 2));
    }

    /// <summary>How few are missed, in decades: 0 at recall 0, 1 at 0.9, 2 at 0.99.</summary>
    private static double Found(double recall) => -Math.Log10(Math.Max(1 - recall, LeastMisses));

    private double X(double recall) => Left + ((Found(recall) - _leastFound) / (_mostFound - _leastFound) * (Width - Left - Right));

    private double Y(double log) => Top + ((_highestLog - log) / (_highestLog - _lowestLog) * (Height - Top - Bottom));

    private void DrawAxes(int k, string axis)
    {
        foreach (double recall in RecallTicks())
        {
            Add($"""<line class="grid" x1="{X(recall):0.#}" x2="{X(recall):0.#}" y1="{Top}" y2="{Height - Bottom}"/>""");
            Add($"""<text class="tick" x="{X(recall):0.#}" y="{Height - Bottom + 18}" text-anchor="middle">{recall:0.####}</text>""");
        }

        foreach (double value in ValueTicks())
        {
            double y = Y(Math.Log10(value));
            Add($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{y:0.#}" y2="{y:0.#}"/>""");
            Add($"""<text class="tick" x="{Left - 8}" y="{y + 4:0.#}" text-anchor="end">{PageText.Short(value)}</text>""");
        }

        Add($"""<text class="axis" x="{(Left + Width - Right) / 2:0.#}" y="{Height - 8}" text-anchor="middle">recall@{k}</text>""");
        double middle = (Top + Height - Bottom) / 2;
        Add($"""<text class="axis" x="14" y="{middle:0.#}" text-anchor="middle" transform="rotate(-90 14 {middle:0.#})">{PageText.Escape(axis)}</text>""");
    }

    private void DrawCurve(Curve curve)
    {
        string line = string.Join(' ', curve.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.Recall):0.#},{Y(Log(p)):0.#}")));
        Add($"""<g class="curve {curve.Classes}" data-curve="{PageText.Escape(curve.Name)}"><polyline points="{line}"/>""");
        foreach (ChartPoint point in curve.Points)
        {
            string x = PageText.Number(X(point.Recall), "0.#");
            string y = PageText.Number(Y(Log(point)), "0.#");
            Add($"""<g class="point" tabindex="0" data-tip="{PageText.Escape(point.Tip)}"><circle class="hit" cx="{x}" cy="{y}" r="11"/><circle cx="{x}" cy="{y}" r="4"/></g>""");
        }

        Add($"</g>");
    }

    /// <summary>Those in range, thinned out where they would touch.</summary>
    private IEnumerable<double> RecallTicks()
    {
        double last = double.NegativeInfinity;
        foreach (double recall in RecallLabels.Where(recall => Found(recall) >= _leastFound && Found(recall) <= _mostFound))
        {
            if (X(recall) - last >= LabelRoom)
            {
                last = X(recall);
                yield return recall;
            }
        }
    }

    private IEnumerable<double> ValueTicks()
    {
        int[] factors = _highestLog - _lowestLog > 2.2 ? [1] : MinorFactors;
        for (int power = (int)Math.Floor(_lowestLog); power <= _highestLog; power++)
        {
            foreach (int factor in factors)
            {
                double value = factor * Math.Pow(10, power);
                double log = Math.Log10(value);
                if (log >= _lowestLog && log <= _highestLog)
                {
                    yield return value;
                }
            }
        }
    }

    private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
