using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>A segment store of a simulated cluster, in memory: its manifests are the cluster's. As a bucket, it has no lock, and compares.</summary>
internal sealed class SimulatedStore(SimulatedCluster cluster) : ISegmentStore
{
    private readonly Dictionary<(string Collection, string File), byte[]> _files = [];

    public string Name => "simulated";

    /// <summary>Names of the files of a collection.</summary>
    public IEnumerable<string> FilesOf(string collection) => _files.Keys.Where(key => key.Collection == collection).Select(key => key.File);

    public IReadOnlyList<string> Collections(CancellationToken cancel) => [.. cluster.Manifests.Select(manifest => manifest.Name)];

    public byte[]? ReadManifest(string collection, CancellationToken cancel) => ManifestFile.Format(cluster.ManifestOf(collection));

    public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel)
    {
        if (before is null || !ReadManifest(collection, cancel)!.AsSpan().SequenceEqual(before))
        {
            return false;
        }

        cluster.Commit(collection, ManifestFile.Parse(manifest, collection));
        return true;
    }

    public long? LengthOf(string collection, string file, CancellationToken cancel) => _files.TryGetValue((collection, file), out byte[]? bytes) ? bytes.Length : null;

    public void Get(string collection, string file, IFileWriter target, CancellationToken cancel) =>
        target.Write(0, _files.TryGetValue((collection, file), out byte[]? bytes) ? bytes : throw new FileNotFoundException(file, file));

    public void Put(string collection, string file, IFileReader source, CancellationToken cancel)
    {
        var bytes = new byte[source.Length];
        source.Read(0, bytes);
        _files[(collection, file)] = bytes;
    }

    /// <summary>Puts the codes of a shard.</summary>
    public void PutCodes(string collection, string file) => _files[(collection, file)] = [1];

    public void Delete(string collection, string file, CancellationToken cancel) => _files.Remove((collection, file));

    public string? FolderOf(string collection) => null;
}

/// <summary>One process' view of the store: the process may die just before or after a call, as with the state.</summary>
internal sealed class FaultyStore(SimulatedStore inner, FaultyState state) : ISegmentStore
{
    public string Name => inner.Name;

    public IReadOnlyList<string> Collections(CancellationToken cancel) => state.Call(() => inner.Collections(cancel));

    public byte[]? ReadManifest(string collection, CancellationToken cancel) => state.Call(() => inner.ReadManifest(collection, cancel));

    public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel) =>
        state.Call(() => inner.TryReplaceManifest(collection, before, manifest, cancel));

    public long? LengthOf(string collection, string file, CancellationToken cancel) => state.Call(() => inner.LengthOf(collection, file, cancel));

    public void Get(string collection, string file, IFileWriter target, CancellationToken cancel) => Call(() => inner.Get(collection, file, target, cancel));

    public void Put(string collection, string file, IFileReader source, CancellationToken cancel) => Call(() => inner.Put(collection, file, source, cancel));

    public void Delete(string collection, string file, CancellationToken cancel)
    {
        state.IsDead |= state.DiesAtDelete;
        Call(() => inner.Delete(collection, file, cancel));
    }

    public string? FolderOf(string collection) => null;

    private void Call(Action action) => state.Call(() =>
    {
        action();
        return true;
    });
}
