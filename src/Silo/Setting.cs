using System.CommandLine;
using System.Globalization;

namespace Signpost.Silo;

/// <summary>
/// One setting of the product: its name, meaning, range, default and the reason for the default, said once and used for the
/// command line, for <c>cluster.yaml</c> and for the help.
/// </summary>
internal abstract class Setting(string name, string what, string expected, string fallbackText, string why)
{
    /// <summary>Name on the command line without dashes; also the last part of <see cref="YamlPath"/>, with underscores.</summary>
    public string Name => name;

    /// <summary>Range or form in words, as error messages quote it.</summary>
    public string Expected => expected;

    /// <summary>The default in words; empty where there is none.</summary>
    public string FallbackText => fallbackText;

    /// <summary>Dotted path in <c>cluster.yaml</c>; null where the setting is for the command line alone.</summary>
    public string? YamlPath { get; init; }

    /// <summary>Variable of the environment that gives it where the command line does not, for what other users shall not see; null: none.</summary>
    public string? Variable { get; init; }

    /// <summary>True where the command line must give it.</summary>
    public bool Required { get; init; }

    /// <summary>The option of the command line.</summary>
    public abstract Option Symbol { get; }

    /// <summary>Meaning, range, default and reason in one line.</summary>
    protected string Help
    {
        get
        {
            string range = HelpName is "file" or "folder" or null ? "" : expected;
            string fallback = fallbackText.Length > 0 ? $"default {fallbackText}" : "";
            string both = string.Join("; ", new[] { range, fallback }.Where(part => part.Length > 0));
            return what + (both.Length > 0 ? $" [{both}]" : "") + (why.Length > 0 ? $" {why}" : "");
        }
    }

    /// <summary>What stands for the value in the help; null for a switch.</summary>
    protected abstract string? HelpName { get; }

    /// <summary>The value of <paramref name="text"/>, or null where it is malformed or out of range.</summary>
    public abstract object? Read(string text);
}

/// <summary>A <see cref="Setting"/> whose values are <typeparamref name="T"/>.</summary>
internal sealed class Setting<T>(
    string name, string what, string expected, T fallback, string fallbackText, string why, Func<string, object?> read)
    : Setting(name, what, expected, fallbackText, why)
{
    private Option<T>? _option;

    /// <summary>The value where nobody gives one.</summary>
    public T Fallback => fallback;

    /// <inheritdoc/>
    public override Option Symbol => Option;

    /// <summary>The option of the command line; one object, shared by the commands that have it.</summary>
    public Option<T> Option => _option ??= MakeOption();

    /// <inheritdoc/>
    protected override string? HelpName => default(T) switch
    {
        bool => null,
        int or double => "n",
        null when Expected.EndsWith("file", StringComparison.Ordinal) => "file",
        null when Expected.EndsWith("folder", StringComparison.Ordinal) => "folder",
        null when typeof(T) == typeof(string) => "text",
        null => "list",
        _ => "word",
    };

    /// <inheritdoc/>
    public override object? Read(string text) => read(text);

    private Option<T> MakeOption()
    {
        var option = new Option<T>("--" + Name) { Description = Help, HelpName = HelpName, Required = Required };
        if (typeof(T) == typeof(bool))
        {
            return option;
        }

        option.CustomParser = result =>
        {
            string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (read(text) is T value)
            {
                return value;
            }

            result.AddError($"--{Name}: got '{text}', expected {Expected}.");
            return fallback;
        };
        return option;
    }

}

/// <summary>Makes settings of the usual kinds.</summary>
internal static class SettingKinds
{
    /// <summary>A whole number in [<paramref name="min"/>, <paramref name="max"/>], or <paramref name="word"/> for the default.</summary>
    public static Setting<int> Whole(
        string name, string what, string unit, int min, int max, int fallback, string why, string? yaml = null, string? word = null)
    {
        string expected = $"{min} .. {max} {unit}".TrimEnd() + (word is null ? "" : $" or {word}");
        return new Setting<int>(name, what, expected, fallback, word ?? Show(fallback), why, text => text == word ? fallback : ReadWhole(text, min, max))
        {
            YamlPath = yaml,
        };
    }

    /// <summary>A number in [0, 1].</summary>
    public static Setting<double> Fraction(string name, string what, double fallback, string why, string? yaml = null) =>
        new(name, what, "0 .. 1", fallback, fallback.ToString(CultureInfo.InvariantCulture), why, text =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value <= 1 ? value : null)
        {
            YamlPath = yaml,
        };

    /// <summary>One of a few words.</summary>
    public static Setting<T> Choice<T>(string name, string what, (string Word, T Value)[] choices, T fallback, string why, string? yaml = null)
        where T : struct =>
        new(
            name,
            what,
            string.Join(" | ", choices.Select(c => c.Word)),
            fallback,
            choices.First(c => EqualityComparer<T>.Default.Equals(c.Value, fallback)).Word,
            why,
            text => Find(choices, text))
        {
            YamlPath = yaml,
        };

    /// <summary>Any text, for example a path.</summary>
    public static Setting<string?> Text(
        string name, string what, string expected, string? fallback, string why, string? yaml = null, bool required = false, string? variable = null) =>
        new(name, what, expected, fallback, fallback ?? "", why, text => text.Length > 0 ? text : null)
        {
            YamlPath = yaml,
            Required = required,
            Variable = variable,
        };

    /// <summary>Present or not.</summary>
    public static Setting<bool> Flag(string name, string what) =>
        new(name, what, "true | false", false, "", "", text => bool.TryParse(text, out bool value) ? value : null);

    /// <summary>Whole numbers between commas, each in range; <paramref name="word"/> stands for <paramref name="wordValue"/>.</summary>
    public static Setting<int[]> List(
        string name, string what, int min, int max, int[] fallback, string why, string? word = null, int wordValue = 0) =>
        new(
            name,
            what,
            $"numbers of {min} .. {max}{(word is null ? "" : $" or {word}")} between commas",
            fallback,
            string.Join(',', fallback.Select(v => word is not null && v == wordValue ? word : Show(v))),
            why,
            text => ReadAll(text, part => part == word ? wordValue : ReadWhole(part, min, max)));

    /// <summary>Some of a few words between commas, no word twice; <paramref name="fallbackText"/> where the words do not say the default.</summary>
    public static Setting<T[]> Choices<T>(
        string name, string what, (string Word, T Value)[] choices, T[] fallback, string why, string? fallbackText = null)
        where T : struct =>
        new(
            name,
            what,
            string.Join(" | ", choices.Select(c => c.Word)) + " between commas",
            fallback,
            fallbackText ?? string.Join(',', fallback.Select(value => choices.First(c => c.Value.Equals(value)).Word)),
            why,
            text => ReadAll(text, part => Find(choices, part)));

    /// <summary>Some of a few words between commas, as words.</summary>
    public static Setting<string[]> Words(string name, string what, string[] words, string[] fallback, string why)
    {
        Setting<int[]> numbers = Choices(name, what, [.. words.Select((word, i) => (word, i))], [.. fallback.Select(word => Array.IndexOf(words, word))], why);
        return new(name, what, numbers.Expected, fallback, numbers.FallbackText, why, text => (numbers.Read(text) as int[])?.Select(i => words[i]).ToArray());
    }

    /// <summary>A number as people write it, without group signs.</summary>
    public static string Show(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static int? ReadWhole(string text, int min, int max) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max ? value : null;

    private static T? Find<T>((string Word, T Value)[] choices, string text)
        where T : struct
    {
        foreach ((string word, T value) in choices)
        {
            if (word == text)
            {
                return value;
            }
        }

        return null;
    }

    private static T[]? ReadAll<T>(string text, Func<string, T?> read)
        where T : struct
    {
        T?[] parts = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(read)];
        return parts.All(p => p is not null) ? [.. parts.Select(p => p!.Value).Distinct()] : null;
    }
}
