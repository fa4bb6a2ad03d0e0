using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Shards;

/// <summary>The real disk, on which something happens just before the first file of a kind is opened.</summary>
internal sealed class MeddlingDisk(string ending, Action meddle) : IDisk
{
    public bool HasMeddled { get; private set; }

    public IFileReader OpenRead(string path)
    {
        if (path.EndsWith(ending, StringComparison.Ordinal) && !HasMeddled)
        {
            HasMeddled = true;
            meddle();
        }

        return FileDisk.Instance.OpenRead(path);
    }

    public IFileWriter Create(string path, long expectedBytes) => throw new NotSupportedException();

    public void Replace(string from, string to) => throw new NotSupportedException();

    public void Delete(string path) => throw new NotSupportedException();

    public IReadOnlyList<string> List(string folder) => FileDisk.Instance.List(folder);

    public IReadOnlyList<string> ListFolders(string folder) => FileDisk.Instance.ListFolders(folder);

    public void CreateFolder(string folder) => throw new NotSupportedException();

    public IDisposable? TryLock(string path) => throw new NotSupportedException();

    public void SyncFolder(string folder) => throw new NotSupportedException();
}
