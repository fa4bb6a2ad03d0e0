using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Shards;

/// <summary>Tells what was fetched, and may damage it on the way.</summary>
internal sealed class CountingStore(ISegmentStore real) : ISegmentStore
{
    public List<string> Fetched { get; } = [];

    public Func<string, int, byte[], byte[]>? Damage { get; set; }

    /// <summary>Whether the collections are in no folder of this machine.</summary>
    public bool IsFar { get; init; }

    public string Name => real.Name;

    public IReadOnlyList<string> Collections(CancellationToken cancel) => real.Collections(cancel);

    public byte[]? ReadManifest(string collection, CancellationToken cancel) => real.ReadManifest(collection, cancel);

    public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel) =>
        real.TryReplaceManifest(collection, before, manifest, cancel);

    public long? LengthOf(string collection, string file, CancellationToken cancel) => real.LengthOf(collection, file, cancel);

    public void Get(string collection, string file, IFileWriter target, CancellationToken cancel)
    {
        lock (Fetched)
        {
            Fetched.Add(file);
        }

        if (Damage is null)
        {
            real.Get(collection, file, target, cancel);
            return;
        }

        var whole = new Storage.HookedFile([]);
        real.Get(collection, file, whole, cancel);
        target.Write(0, Damage(file, Fetched.Count(name => name == file), whole.Bytes));
    }

    public void Put(string collection, string file, IFileReader source, CancellationToken cancel) => real.Put(collection, file, source, cancel);

    public void Delete(string collection, string file, CancellationToken cancel) => real.Delete(collection, file, cancel);

    public string? FolderOf(string collection) => IsFar ? null : real.FolderOf(collection);
}
