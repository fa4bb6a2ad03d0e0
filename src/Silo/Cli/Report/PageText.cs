using System.Globalization;
using System.Text;

namespace Signpost.Silo.Cli.Report;

/// <summary>Text as the page's markup needs it.</summary>
internal static class PageText
{
    /// <summary>Colours that the style sheet has for curves.</summary>
    public const int Colours = 6;

    /// <summary>Kinds of lines that the style sheet has, the unbroken one among them.</summary>
    public const int Dashes = 6;

    /// <summary>Text that may stand in an element or between quotes.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            _ = c switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                < ' ' => escaped.Append(' '),
                _ => escaped.Append(c),
            };
        }

        return escaped.ToString();
    }

    /// <summary>A number in the same form everywhere on earth.</summary>
    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>1 shard, 4 shards.</summary>
    public static string Plural(long count, string word) => $"{Number(count, "N0")} {word}{(count == 1 ? "" : "s")}";

    /// <summary>A tick: 200, 5k, 20k, 1M.</summary>
    public static string Short(double value) => value switch
    {
        >= 1e6 => Number(value / 1e6, "0.#") + "M",
        >= 1e3 => Number(value / 1e3, "0.#") + "k",
        _ => Number(value, "0.###"),
    };
}
