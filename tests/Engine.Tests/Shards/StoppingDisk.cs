using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Shards;

/// <summary>The real disk until its n-th change, which fails, as does every later one: a process that was killed there.</summary>
internal sealed class StoppingDisk(int changes) : IDisk
{
    private int _left = changes;

    /// <summary>Whether a change was refused.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Files created under their temporary name.</summary>
    public List<string> Created { get; } = [];

    private static FileDisk Real => FileDisk.Instance;

    public IFileReader OpenRead(string path) => Real.OpenRead(path);

    public IFileWriter Create(string path, long expectedBytes)
    {
        Change();
        Created.Add(Path.GetFileName(path));
        return new Writer(this, Real.Create(path, expectedBytes));
    }

    public void Replace(string from, string to)
    {
        Change();
        Real.Replace(from, to);
    }

    public void Delete(string path)
    {
        Change();
        Real.Delete(path);
    }

    public IReadOnlyList<string> List(string folder) => Real.List(folder);

    public IReadOnlyList<string> ListFolders(string folder) => Real.ListFolders(folder);

    public void CreateFolder(string folder)
    {
        Change();
        Real.CreateFolder(folder);
    }

    public IDisposable? TryLock(string path) => Real.TryLock(path);

    public void SyncFolder(string folder)
    {
        Change();
        Real.SyncFolder(folder);
    }

    private void Change()
    {
        if (_left-- <= 0)
        {
            Stopped = true;
            throw new StoppedException();
        }
    }

    internal sealed class StoppedException() : Exception("the process ended here");

    private sealed class Writer(StoppingDisk disk, IFileWriter real) : IFileWriter
    {
        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            disk.Change();
            real.Write(offset, data);
        }

        public void Sync()
        {
            disk.Change();
            real.Sync();
        }

        public void Dispose() => real.Dispose();
    }
}
