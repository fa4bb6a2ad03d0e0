using System.Globalization;
using System.Text;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli.Report;

/// <summary>Draws speed against recall as one SVG: recall on a linear axis, queries per second on a logarithmic one, a line per curve.</summary>
internal sealed class CurveChart
{
    private const double Width = 640;
    private const double Height = 400;
    private const double Left = 58;
    private const double Right = 16;
    private const double Top = 14;
    private const double Bottom = 46;
    private const double RecallStep = 0.05;

    /// <summary>Factors of a power of ten at which an axis of few decades is labelled.</summary>
    private static readonly int[] MinorFactors = [1, 2, 5];

    private readonly StringBuilder _svg = new();
    private readonly double _lowestRecall;
    private readonly double _lowestLog;
    private readonly double _highestLog;
    private readonly Func<EvalPoint, double> _speed;

    private CurveChart(IReadOnlyList<EvalPoint> points, Func<EvalPoint, double> speed)
    {
        _speed = speed;
        double lowest = points.Min(p => p.RecallAtK);
        _lowestRecall = Math.Clamp(Math.Floor((lowest - 0.005) / RecallStep) * RecallStep, 0, 1 - RecallStep);
        _lowestLog = Math.Log10(points.Min(Speed)) - 0.08;
        _highestLog = Math.Log10(points.Max(Speed)) + 0.08;
        double narrow = 0.5 - (_highestLog - _lowestLog);
        if (narrow > 0)
        {
            _lowestLog -= narrow / 2;
            _highestLog += narrow / 2;
        }
    }

    /// <summary>The SVG element.</summary>
    /// <param name="curves">Points by curve; each curve in the order in which it is drawn. At least one point in all.</param>
    /// <param name="title">What it shows, for screen readers.</param>
    /// <param name="k">Neighbours of recall@k.</param>
    /// <param name="speed">What the vertical axis shows, above zero.</param>
    public static string Draw(IReadOnlyList<(string Name, IReadOnlyList<EvalPoint> Points)> curves, string title, int k, Func<EvalPoint, double> speed)
    {
        var chart = new CurveChart([.. curves.SelectMany(c => c.Points)], speed);
        chart.Add($"""<svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{PageText.Escape(title)}" xmlns="http://www.w3.org/2000/svg">""");
        chart.DrawAxes(k);
        for (int i = 0; i < curves.Count; i++)
        {
            chart.DrawCurve(curves[i].Name, curves[i].Points, i);
        }

        chart.Add($"</svg>");
        return chart._svg.ToString();
    }

    private double Speed(EvalPoint point) => Math.Max(_speed(point), 1e-3);

    private double X(double recall) => Left + ((recall - _lowestRecall) / (1 - _lowestRecall) * (Width - Left - Right));

    private double Y(double log) => Top + ((_highestLog - log) / (_highestLog - _lowestLog) * (Height - Top - Bottom));

    private void DrawAxes(int k)
    {
        foreach (double recall in RecallTicks())
        {
            Add($"""<line class="grid" x1="{X(recall):0.#}" x2="{X(recall):0.#}" y1="{Top}" y2="{Height - Bottom}"/>""");
            Add($"""<text class="tick" x="{X(recall):0.#}" y="{Height - Bottom + 18}" text-anchor="middle">{recall:0.00}</text>""");
        }

        foreach (double value in SpeedTicks())
        {
            double y = Y(Math.Log10(value));
            Add($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{y:0.#}" y2="{y:0.#}"/>""");
            Add($"""<text class="tick" x="{Left - 8}" y="{y + 4:0.#}" text-anchor="end">{PageText.Short(value)}</text>""");
        }

        Add($"""<text class="axis" x="{(Left + Width - Right) / 2:0.#}" y="{Height - 8}" text-anchor="middle">recall@{k}</text>""");
        double middle = (Top + Height - Bottom) / 2;
        Add($"""<text class="axis" x="14" y="{middle:0.#}" text-anchor="middle" transform="rotate(-90 14 {middle:0.#})">queries per second</text>""");
    }

    private void DrawCurve(string name, IReadOnlyList<EvalPoint> points, int index)
    {
        var inOrder = points.OrderBy(p => p.L).ToList();
        string line = string.Join(' ', inOrder.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.RecallAtK):0.#},{Y(Math.Log10(Speed(p))):0.#}")));
        Add($"""<g class="curve c{index % PageText.Colours}" data-curve="{PageText.Escape(name)}"><polyline points="{line}"/>""");
        foreach (EvalPoint point in inOrder)
        {
            string x = PageText.Number(X(point.RecallAtK), "0.#");
            string y = PageText.Number(Y(Math.Log10(Speed(point))), "0.#");
            Add($"""<g class="point" tabindex="0" data-tip="{PageText.Escape(Tip(name, point))}"><circle class="hit" cx="{x}" cy="{y}" r="11"/><circle cx="{x}" cy="{y}" r="4"/></g>""");
        }

        Add($"</g>");
    }

    private static string Tip(string name, EvalPoint p) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name}, L = {p.L}|recall@{p.K}: {p.RecallAtK:0.0000}|{p.QpsCpu:N0} queries per CPU second|{p.Qps1:N0} queries/s on one thread|{p.QpsAll:N0} queries/s on all|p50 {p.P50Us:N0} us, p99 {p.P99Us:N0} us|{p.Hops:N0} hops, {p.DistanceComputations:N0} distances");

    private IEnumerable<double> RecallTicks()
    {
        double step = 1 - _lowestRecall > 0.5 ? 0.1 : 1 - _lowestRecall > 0.12 ? RecallStep : 0.01;
        int count = (int)Math.Round((1 - _lowestRecall) / step);
        return Enumerable.Range(0, count + 1).Select(i => 1 - (i * step)).Where(recall => recall >= _lowestRecall - 1e-9);
    }

    private IEnumerable<double> SpeedTicks()
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
