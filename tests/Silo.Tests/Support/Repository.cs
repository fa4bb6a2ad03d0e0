namespace Signpost.Silo.Tests.Support;

/// <summary>Files of the repository that the tests were built in.</summary>
internal static class Repository
{
    private static readonly string Root = Find();

    /// <summary>A path in it.</summary>
    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Cluster.sln")))
            {
                return folder;
            }
        }

        throw new FileNotFoundException("no Cluster.sln above the tests");
    }
}
