namespace Signpost.Engine.Tests.Tidy;

/// <summary>A text file of the repository.</summary>
/// <param name="Path">Relative to the root, with forward slashes.</param>
/// <param name="Text">Its whole content.</param>
public sealed record TextFile(string Path, string Text)
{
    /// <summary>The text with the content of strings and comments blanked out; lines stay where they are.</summary>
    public string Code => CSharpText.WithoutStringsAndComments(Text);
}

/// <summary>The working tree that the tests were built from.</summary>
public static class Repository
{
    private static readonly HashSet<string> NotOurs = new(StringComparer.Ordinal)
    {
        ".git", ".vs", ".idea", "bin", "obj", "build", "data", "artifacts", "TestResults", "BenchmarkDotNet.Artifacts", "__pycache__",
    };

    /// <summary>The folder that holds Cluster.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every file under <paramref name="folder"/> whose name matches, without build outputs, in a stable order.</summary>
    public static IEnumerable<TextFile> Files(string folder, string pattern) =>
        Paths(new DirectoryInfo(Path.Combine(Root, folder)), pattern)
            .Select(path => new TextFile(Path.GetRelativePath(Root, path).Replace('\\', '/'), File.ReadAllText(path)))
            .OrderBy(file => file.Path, StringComparer.Ordinal);

    /// <summary>One file by its path from the root.</summary>
    public static TextFile FileAt(string path) => new(path, File.ReadAllText(Path.Combine(Root, path)));

    private static IEnumerable<string> Paths(DirectoryInfo folder, string pattern) =>
        folder.EnumerateFiles(pattern).Where(file => file.Name != ".git").Select(file => file.FullName)
            .Concat(folder.EnumerateDirectories().Where(child => !NotOurs.Contains(child.Name)).SelectMany(child => Paths(child, pattern)));

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"no Cluster.sln above {AppContext.BaseDirectory}");
    }
}
