namespace Signpost.Silo.Cli;

/// <summary>Command lines as the user would type them, for hints that can be copied.</summary>
internal static class Shell
{
    /// <summary>Set by the entry script to how it was called.</summary>
    private const string CommandVariable = "SIGNPOST_COMMAND";

    /// <summary>What starts this program again: the script where it came from there, else dotnet with this program's file.</summary>
    private static readonly string Command = Environment.GetEnvironmentVariable(CommandVariable) is { Length: > 0 } script
        ? script
        : $"dotnet {Quote(Path.Combine(AppContext.BaseDirectory, "signpost.dll"))}";

    /// <summary>The line for <paramref name="words"/>.</summary>
    public static string Line(params string[] words) => string.Join(' ', words.Select(Quote).Prepend(Command));

    /// <summary>The word, between quotes where a shell would take it apart.</summary>
    private static string Quote(string word) => word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:,+=@%".Contains(c) || (c == '\\' && OperatingSystem.IsWindows()))
        ? word
        : OperatingSystem.IsWindows() ? $"\"{word}\"" : $"'{word.Replace("'", "'\\''")}'";
}
