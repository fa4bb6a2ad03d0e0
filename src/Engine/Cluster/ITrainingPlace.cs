using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;

namespace Signpost.Engine.Cluster;

/// <summary>Where a training finds its collection and leaves what it makes: a folder that it alone writes in, or the store of a cluster.</summary>
internal interface ITrainingPlace
{
    /// <summary>For people.</summary>
    string Name { get; }

    /// <summary>The collection as it is; or why there is none.</summary>
    Outcome<CollectionManifest> Read();

    /// <summary>The shard map of the collection; null where it has none.</summary>
    ValueTask<ShardMap?> MapAsync(CollectionManifest manifest, CancellationToken cancel);

    /// <summary>Ends with <paramref name="calls"/>, in the way in which a training waits here.</summary>
    ValueTask WaitAsync(Task calls);

    /// <summary>From now on trainings leave no other files here than <paramref name="files"/>: what there is of others is removed.</summary>
    void Keep(IReadOnlySet<string> files);

    /// <summary>A quantizer that was published here; null where it is missing or not whole.</summary>
    PublishedQuantizer? Find(string file);

    /// <summary>Publishes a quantizer, for every shard to read.</summary>
    PublishedQuantizer Publish(string file, IQuantizer quantizer);

    /// <summary>A checkpoint of this name.</summary>
    ICheckpointStore Checkpoint(string name);

    /// <summary>The training begins a step; it ends here with <see cref="OperationCanceledException"/> where its right to train has ended.</summary>
    void Begin(TrainingStep step, uint codesVersion);

    /// <summary>Makes <paramref name="next"/> the manifest, unless it is another one than <paramref name="old"/> by now, or the right to train has ended.</summary>
    /// <returns>Why not; null where it is the manifest now.</returns>
    Problem? Commit(CollectionManifest old, CollectionManifest next);

    /// <summary>Ends when queries use the codes of <paramref name="manifest"/>, which the collection has.</summary>
    ValueTask TurnAsync(CollectionManifest manifest, CancellationToken cancel);

    /// <summary>Whether the training is to let codes go that are of no use any more: the old ones where it has committed, else its own.</summary>
    bool MayDrop(bool isCommitted);
}

/// <summary>A collection in a folder of this machine, which one process trains, and whose map it writes itself: the embedded runtime.</summary>
internal sealed class FolderTraining(IDisk disk, string folder, IClusterState state) : ITrainingPlace
{
    /// <inheritdoc/>
    public string Name => folder;

    /// <inheritdoc/>
    public Outcome<CollectionManifest> Read() => ManifestFile.Open(disk, folder);

    /// <inheritdoc/>
    public ValueTask<ShardMap?> MapAsync(CollectionManifest manifest, CancellationToken cancel) => state.ReadAsync(manifest.Name, cancel);

    /// <inheritdoc/>
    public ValueTask WaitAsync(Task calls) => new(calls);

    /// <inheritdoc/>
    public void Keep(IReadOnlySet<string> files) => CollectionFiles.Sweep(disk, folder, files.Contains);

    /// <inheritdoc/>
    public PublishedQuantizer? Find(string file) => PublishedQuantizer.Find(disk, folder, file);

    /// <inheritdoc/>
    public PublishedQuantizer Publish(string file, IQuantizer quantizer) => PublishedQuantizer.Publish(disk, folder, file, quantizer);

    /// <inheritdoc/>
    public ICheckpointStore Checkpoint(string name) => new CheckpointFile(disk, folder, name);

    /// <inheritdoc/>
    public void Begin(TrainingStep step, uint codesVersion)
    {
    }

    /// <inheritdoc/>
    public Problem? Commit(CollectionManifest old, CollectionManifest next) => ManifestCommit.InFolder(disk, folder, old, next, CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask TurnAsync(CollectionManifest manifest, CancellationToken cancel) =>
        await CodesSwitch.WriteMapAsync(state, manifest.Name, manifest.CodesVersion, CancellationToken.None).ConfigureAwait(false); // what is committed is not cancelled

    /// <inheritdoc/>
    public bool MayDrop(bool isCommitted) => true;
}
