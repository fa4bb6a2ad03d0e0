using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Signpost.Silo.Inspect;

/// <summary>Writes a tree of names and values as indented lines for people.</summary>
internal static class TreeText
{
    private const int NameWidth = 26;
    private const int BarWidth = 40;

    /// <summary>Writes <paramref name="node"/>.</summary>
    public static void Write(JsonObject node, TextWriter target, string indent = "")
    {
        foreach ((string name, JsonNode? value) in node)
        {
            switch (value)
            {
                case JsonObject inner:
                    target.WriteLine($"{indent}{name}");
                    Write(inner, target, indent + "  ");
                    break;
                case JsonArray { Count: > 0 } array when array[0] is JsonObject:
                    target.WriteLine($"{indent}{name}");
                    foreach (JsonNode? item in array)
                    {
                        WriteItem((JsonObject)item!, target, indent + "  ");
                    }

                    break;
                case JsonArray { Count: 0 }:
                    target.WriteLine($"{indent}{name.PadRight(NameWidth - indent.Length)} none");
                    break;
                case JsonArray numbers:
                    target.WriteLine($"{indent}{name}");
                    WriteBars([.. numbers.Select(n => (long)n!)], target, indent + "  ");
                    break;
                default:
                    target.WriteLine($"{indent}{name.PadRight(NameWidth - indent.Length)} {Show(value)}");
                    break;
            }
        }
    }

    /// <summary>One line where the item is flat; an indented block where it has parts of its own.</summary>
    private static void WriteItem(JsonObject item, TextWriter target, string indent)
    {
        if (item.Any(p => p.Value is JsonObject or JsonArray))
        {
            target.WriteLine($"{indent}-");
            Write(item, target, indent + "  ");
        }
        else
        {
            target.WriteLine(indent + string.Join("  ", item.Select(p => $"{p.Key} {Show(p.Value),-10}")).TrimEnd());
        }
    }

    /// <summary>A histogram; the index is the value counted.</summary>
    private static void WriteBars(long[] counts, TextWriter target, string indent)
    {
        long most = Math.Max(1, counts.Max());
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] > 0)
            {
                string bar = new('#', (int)Math.Max(1, counts[i] * BarWidth / most));
                target.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{indent}{i,4} {counts[i],12:N0} {bar}"));
            }
        }
    }

    private static string Show(JsonNode? value) => value switch
    {
        null => "none",
        JsonValue v when v.GetValueKind() == JsonValueKind.String => (string)v!,
        _ => value.ToJsonString(),
    };
}
