namespace Signpost.Engine.Tests.Support;

/// <summary>
/// Finds the real vector sets that tests may use where they are present: in the folder that SIGNPOST_DATA names, else in the nearest
/// <c>shared/data</c> beside the repository or above it. Without them the tests that need them are skipped and say so.
/// </summary>
public static class RealData
{
    private const string Variable = "SIGNPOST_DATA";

    private static readonly string? Folder = Find();

    /// <summary>The file or folder at <paramref name="relativePath"/>, for example "siftsmall/siftsmall_base.fvecs".</summary>
    public static bool TryGet(string relativePath, out string path)
    {
        path = Folder is null ? "" : System.IO.Path.Combine(Folder, relativePath);
        return Folder is not null && System.IO.Path.Exists(path);
    }

    /// <summary>As <see cref="TryGet"/> where the test has already asked with <see cref="RealDataFactAttribute"/>.</summary>
    public static string Path(string relativePath) =>
        TryGet(relativePath, out string path) ? path : throw new FileNotFoundException($"no real data {relativePath}");

    private static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(named))
        {
            return Directory.Exists(named) ? named : null;
        }

        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Cluster.sln")))
        {
            folder = folder.Parent;
        }

        for (folder = folder?.Parent; folder is not null; folder = folder.Parent)
        {
            string data = System.IO.Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(data))
            {
                return data;
            }
        }

        return null;
    }
}

/// <summary>A test that needs real data, for example "siftsmall", and is skipped with a reason where it is absent.</summary>
public sealed class RealDataFactAttribute : FactAttribute
{
    public RealDataFactAttribute(params string[] relativePaths)
    {
        string[] missing = [.. relativePaths.Append("").Where(path => !RealData.TryGet(path, out _))];
        if (missing.Length > 0)
        {
            Skip = $"real data is absent: {string.Join(' ', missing.Where(path => path.Length > 0))}; set SIGNPOST_DATA to its folder";
        }
    }
}
