using System.Text.RegularExpressions;

namespace Signpost.Engine.Tests.Tidy;

/// <summary>The law on one source file. Each rule answers with one line for each place that breaks it.</summary>
public static partial class StyleRules
{
    /// <summary>Most lines of a file.</summary>
    public const int MostLinesOfFile = 500;

    /// <summary>Most lines of a method.</summary>
    public const int MostLinesOfMethod = 70;

    /// <summary>The folders of src/Engine. A folder may use those before it.</summary>
    public static readonly string[] EngineFolders =
    [
        "Base", "Vectors", "Kernels", "Quantizers", "Graphs", "Search", "Build", "Training", "Storage", "Shards", "Cluster",
    ];

    private static readonly (string Call, string Why)[] BannedInEngine =
    [
        (@"\bnew Random\(", "take Seeded: a result must not depend on the run"),
        (@"\bRandom\.Shared\b", "take Seeded: a result must not depend on the run"),
        (@"\bDateTime(Offset)?\.(Utc)?Now\b", "the caller gives the time"),
        (@"\bTask\.Run\(", "work runs on the threads of Work"),
        (@"\bConsole\.", "the engine never writes to the console"),
    ];

    /// <summary>Files are short enough to be read in one go.</summary>
    public static IEnumerable<string> LongFile(TextFile file)
    {
        int lines = file.Text.AsSpan().TrimEnd('\n').Count('\n') + 1;
        return lines > MostLinesOfFile ? [$"{file.Path}: {lines} lines, at most {MostLinesOfFile}"] : [];
    }

    /// <summary>Methods are short enough to be seen in one go.</summary>
    public static IEnumerable<string> LongMethods(TextFile file) =>
        CSharpMembers.In(file.Code).Where(member => member.Lines > MostLinesOfMethod)
            .Select(member => $"{file.Path}:{member.Line}: {member.Lines} lines, at most {MostLinesOfMethod}: {member.Header}");

    /// <summary>The engine is deterministic, silent and in charge of its own threads.</summary>
    public static IEnumerable<string> BannedCalls(TextFile file) =>
        BannedInEngine.SelectMany(banned => Matches(file.Path, file.Code, banned.Call).Select(place => $"{place}: {banned.Why}"));

    /// <summary>Nothing is left for later in the source.</summary>
    public static IEnumerable<string> Unfinished(TextFile file) =>
        Matches(file.Path, file.Text, @"\b(TO" + "DO|FIX" + "ME|NotImplemented" + @"Exception)\b");

    /// <summary>The repository builds anywhere: it names no package feed and no folder of the machine it was written on.</summary>
    public static IEnumerable<string> ForeignPlaces(TextFile file) =>
        Matches(file.Path, file.Text, @"https?://[^\s""']*(nuget|npm|pypi|debian|myget|artifactory|pkgs\.)")
            .Concat(Matches(file.Path, file.Text, @"(?<![\w.~}*$])/(" + "work|farm|root)/"));

    /// <summary>A namespace is the path of its folder, so that a type is found by its name.</summary>
    public static IEnumerable<string> NamespaceOfFolder(TextFile file, string projectFolder, string rootNamespace)
    {
        string folder = Path.GetDirectoryName(Path.GetRelativePath(projectFolder, file.Path))!.Replace('\\', '.').Replace('/', '.');
        string expected = folder.Length == 0 ? rootNamespace : $"{rootNamespace}.{folder}";
        string? actual = NamespaceLine().Match(file.Code) is { Success: true } line ? line.Groups[1].Value : null;
        bool mayHaveNone = Path.GetFileName(file.Path) is "Program.cs" or "GlobalUsings.cs" or "AssemblyInfo.cs";
        return actual == expected || (actual is null && mayHaveNone) ? [] : [$"{file.Path}: namespace {actual ?? "(none)"}, expected {expected}"];
    }

    /// <summary>A folder of the engine knows only the folders before it.</summary>
    public static IEnumerable<string> FolderOrder(TextFile file)
    {
        string folder = file.Path.Split('/')[2];
        int own = Array.IndexOf(EngineFolders, folder);
        if (own < 0)
        {
            return [$"{file.Path}: {folder} is not a folder of the engine ({string.Join(", ", EngineFolders)})"];
        }

        return EngineNamespace().Matches(file.Code).Select(match => match.Groups[1].Value).Distinct()
            .Where(used => Array.IndexOf(EngineFolders, used) > own)
            .Select(used => $"{file.Path}: {folder} uses {used}, which comes after it");
    }

    private static IEnumerable<string> Matches(string path, string text, string pattern) =>
        Regex.Matches(text, pattern).Select(match => $"{path}:{text.AsSpan(0, match.Index).Count('\n') + 1}: {match.Value}");

    [GeneratedRegex(@"^\s*namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"\bSignpost\.Engine\.([A-Z]\w*)")]
    private static partial Regex EngineNamespace();
}
