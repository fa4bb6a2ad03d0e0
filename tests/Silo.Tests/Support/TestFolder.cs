namespace Signpost.Silo.Tests.Support;

/// <summary>A folder of a test's own, removed with it.</summary>
internal sealed class TestFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("signpost-test-").FullName;

    public static implicit operator string(TestFolder folder) => folder._path;

    /// <summary>A path in the folder.</summary>
    public string At(params string[] parts) => Path.Combine([_path, .. parts]);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
