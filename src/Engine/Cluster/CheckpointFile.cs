using Signpost.Engine.Storage;
using Signpost.Engine.Training;

namespace Signpost.Engine.Cluster;

/// <summary>A checkpoint in the folder of its collection.</summary>
internal sealed class CheckpointFile(IDisk disk, string folder, string name) : ICheckpointStore
{
    private readonly string _path = Path.Combine(folder, name);

    /// <inheritdoc/>
    public byte[]? Load()
    {
        if (!disk.List(folder).Contains(name))
        {
            return null;
        }

        using IFileReader file = disk.OpenRead(_path);
        var bytes = new byte[file.Length];
        return bytes[..file.Read(0, bytes)];
    }

    /// <inheritdoc/>
    public void Save(byte[] bytes) => AtomicFile.Write(disk, _path, bytes.Length, file => file.Write(0, bytes));
}
