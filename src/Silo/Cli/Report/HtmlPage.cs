using System.Globalization;
using System.Text;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli.Report;

/// <summary>One self-contained page of charts and a table. Nothing is loaded from elsewhere; it is well-formed XML besides being HTML.</summary>
internal static class HtmlPage
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c2530; --soft: #5c6977; --faint: #e4e8ee; --paper: #f7f8fa; --card: #ffffff;
          --c0: #2563eb; --c1: #d9580d; --c2: #11855b; --c3: #8b3fc9; --c4: #b3205b; --c5: #6b6f12; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e7ecf2; --soft: #9aa7b5; --faint: #2b333d; --paper: #11151a; --card: #191f26;
          --c0: #6ea0ff; --c1: #ff9a52; --c2: #3fc796; --c3: #c58bf2; --c4: #f2709f; --c5: #c6ca4b; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        main { max-width: 1320px; margin: 0 auto; padding: 32px 24px 64px; }
        h1 { font-size: 26px; margin: 0 0 4px; letter-spacing: -0.01em; }
        h2 { font-size: 16px; margin: 0 0 2px; }
        p { margin: 0; color: var(--soft); }
        .facts { display: flex; flex-wrap: wrap; gap: 8px; margin: 18px 0 24px; padding: 0; list-style: none; }
        .facts li { background: var(--card); border: 1px solid var(--faint); border-radius: 8px; padding: 6px 12px; }
        .facts span { color: var(--soft); margin-right: 6px; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 20px; }
        .card { background: var(--card); border: 1px solid var(--faint); border-radius: 14px; padding: 18px 20px; }
        .card svg { display: block; width: 100%; height: auto; margin-top: 10px; }
        .legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 0 0 14px; padding: 0; list-style: none; font-weight: 600; }
        .c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
        .d1 polyline { stroke-dasharray: 9 5; } .d2 polyline { stroke-dasharray: 3 4; } .d3 polyline { stroke-dasharray: 12 4 3 4; }
        .d4 polyline { stroke-dasharray: 16 8; } .d5 polyline { stroke-dasharray: 1 6; }
        .legend svg { width: 34px; height: 6px; margin-right: 8px; vertical-align: middle; overflow: visible; }
        .legend polyline { fill: none; stroke: var(--c); stroke-width: 4; }
        .grid { stroke: var(--faint); stroke-width: 1; }
        .tick { fill: var(--soft); font-size: 12px; }
        .axis { fill: var(--soft); font-size: 12.5px; font-weight: 600; }
        .curve polyline { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
        .point circle { fill: var(--card); stroke: var(--c); stroke-width: 2; }
        .point .hit { fill: transparent; stroke: none; }
        .point:hover circle:not(.hit), .point:focus circle:not(.hit) { fill: var(--c); }
        .point { outline: none; cursor: default; }
        #tip { position: fixed; z-index: 9; pointer-events: none; background: var(--ink); color: var(--paper); border-radius: 8px; padding: 8px 12px; font-size: 13px;
          line-height: 1.45; white-space: pre; display: none; box-shadow: 0 6px 24px rgb(0 0 0 / 0.25); }
        .scroll { overflow-x: auto; margin-top: 20px; }
        table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
        th, td { padding: 5px 9px; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; font-size: 13px; }
        th:first-child, td:first-child { text-align: left; }
        td:first-child::before { content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 5px; background: var(--c); margin-right: 9px; }
        tbody tr:last-child td { border-bottom: 0; }
        footer { margin-top: 18px; }
        """;

    /// <summary>Shows the words of a point beside the pointer, or beside the point when it is reached by keyboard.</summary>
    private const string Script = """
        const tip = document.getElementById('tip');
        const place = (x, y) => {
          const box = tip.getBoundingClientRect();
          tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8)) + 'px';
          tip.style.top = Math.max(8, y - box.height - 12) + 'px';
        };
        const show = (point, x, y) => {
          tip.textContent = point.dataset.tip.split('|').join('\n');
          tip.style.display = 'block';
          place(x, y);
        };
        const hide = () => { tip.style.display = 'none'; };
        document.querySelectorAll('.point').forEach(point => {
          point.addEventListener('pointermove', e => show(point, e.clientX, e.clientY));
          point.addEventListener('pointerleave', hide);
          point.addEventListener('focus', () => { const b = point.getBoundingClientRect(); show(point, b.right, b.top); });
          point.addEventListener('blur', hide);
        });
        """;

    /// <summary>The page around <paramref name="body"/>, which is markup; the rest is text.</summary>
    public static string Write(string title, string lead, string machine, string body) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>{PageText.Escape(title)}</title>
        <style>
        {Style}
        </style>
        </head>
        <body>
        <main>
        <h1>{PageText.Escape(title)}</h1>
        <p>{PageText.Escape(lead)}</p>
        {body}
        <footer><p>{PageText.Escape(machine)}. Signpost.</p></footer>
        </main>
        <div id="tip" role="status"></div>
        <script>
        {Script}
        </script>
        </body>
        </html>

        """;

    /// <summary>A chart with its title.</summary>
    public static string Card(string title, string subtitle, string svg) =>
        $"<section class=\"card\"><h2>{PageText.Escape(title)}</h2><p>{PageText.Escape(subtitle)}</p>{svg}</section>";

    /// <summary>Which line is which curve.</summary>
    public static string Legend(IEnumerable<Curve> curves) =>
        "<ul class=\"legend\">"
        + string.Concat(curves.Select(c =>
            $"<li class=\"{c.Classes}\"><svg viewBox=\"0 0 34 6\"><polyline points=\"0,3 34,3\"/></svg>{PageText.Escape(c.Name)}</li>"))
        + "</ul>";

    /// <summary>What a collection is.</summary>
    public static List<(string Name, string Value)> FactsOf(BuildFacts build) =>
    [
        ("vectors", build.Vectors.ToString("N0", CultureInfo.InvariantCulture)),
        ("dim", $"{build.Dim} {build.ElementType}"),
        ("metric", build.Metric),
        ("shards", $"{build.Shards}"),
        ("graph", $"R {build.R}, L {build.L}, C {build.C}"),
    ];

    /// <summary>Facts in a row.</summary>
    public static string Facts(IEnumerable<(string Name, string Value)> facts) =>
        "<ul class=\"facts\">" + string.Concat(facts.Select(f => $"<li><span>{f.Name}</span>{PageText.Escape(f.Value)}</li>")) + "</ul>";

    /// <summary>A table; the classes of a row give the colour of its mark.</summary>
    public static string Table(string[] heads, IReadOnlyList<(string Classes, string[] Cells)> rows)
    {
        var html = new StringBuilder("<div class=\"card scroll\"><table><thead><tr>");
        Append(heads, "th");
        html.Append("</tr></thead><tbody>");
        foreach ((string classes, string[] cells) in rows)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr class=\"{classes}\">");
            Append(cells, "td");
            html.Append("</tr>\n");
        }

        return html.Append("</tbody></table></div>").ToString();

        void Append(string[] texts, string element)
        {
            foreach (string text in texts)
            {
                html.Append(CultureInfo.InvariantCulture, $"<{element}>{PageText.Escape(text)}</{element}>");
            }
        }
    }
}
