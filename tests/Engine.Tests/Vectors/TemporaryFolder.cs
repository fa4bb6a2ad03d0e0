namespace Signpost.Engine.Tests.Vectors;

/// <summary>An empty folder that is removed with everything in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("signpost-vectors-");

    public string Path => _folder.FullName;

    public string[] Names => [.. _folder.EnumerateFileSystemInfos().Select(entry => entry.Name).Order()];

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string File(string name, byte[] content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
