using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;

namespace Signpost.Engine.Cluster;

/// <summary>
/// A collection of a cluster, in its segment store. Whoever trains does so under a lease; what is written is fenced by it, and the manifest also by
/// comparing. The leader turns the queries, when all copies have opened what the manifest names.
/// </summary>
internal sealed class StoreTraining(ISegmentStore store, IClusterState state, TrainingRun run, TrainerOptions options, TrainingWaits waits) : ITrainingPlace
{
    private readonly string _collection = run.Record.Collection;

    /// <inheritdoc/>
    public string Name => $"{_collection} in {store.Name}";

    /// <inheritdoc/>
    public Outcome<CollectionManifest> Read() => Read(store, _collection, run.Cancel);

    /// <inheritdoc/>
    public ValueTask<ShardMap?> MapAsync(CollectionManifest manifest, CancellationToken cancel) => waits.For(state.ReadAsync(_collection, cancel));

    /// <inheritdoc/>
    public async ValueTask WaitAsync(Task calls) => await waits.For(Ended(calls)).ConfigureAwait(false);

    /// <summary>The manifest of a collection; or why there is none.</summary>
    public static Outcome<CollectionManifest> Read(ISegmentStore store, string collection, CancellationToken cancel) =>
        store.ReadManifest(collection, cancel) is { } bytes
            ? ManifestFile.Parse(bytes, $"{store.Name}/{collection}/{CollectionManifest.FileName}")
            : new Problem(ProblemCode.NotFound, "collection", $"{collection} in {store.Name}", "a collection of the store", "Check the name, or push the collection.");

    /// <inheritdoc/>
    public void Keep(IReadOnlySet<string> files)
    {
        run.MustHold();
        Remove(files);
        if (!files.SetEquals(run.Record.Files))
        {
            run.Change(record => record with { Files = [.. files] });
            run.Save();
        }
    }

    /// <summary>Removes what the training has made and no manifest names.</summary>
    public void Discard() => Remove(new HashSet<string>());

    private static async ValueTask<bool> Ended(Task calls)
    {
        await calls.ConfigureAwait(false);
        return true;
    }

    private void Remove(IReadOnlySet<string> butNot)
    {
        HashSet<string> named = [.. Read(store, _collection, CancellationToken.None).Value?.Files ?? []]; // as it is now, whoever has changed it
        foreach (string file in run.Record.Files.Where(file => !butNot.Contains(file) && !named.Contains(file)))
        {
            store.Delete(_collection, file, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public PublishedQuantizer? Find(string file)
    {
        try
        {
            return BytesFile.Read(store, _collection, file, run.Cancel) is { } bytes ? PublishedQuantizer.Parse(file, bytes, $"{Name}: {file}") : null;
        }
        catch (BadFileException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public PublishedQuantizer Publish(string file, IQuantizer quantizer)
    {
        run.MustHold();
        byte[] bytes = QuantizerFile.Serialize(quantizer);
        BytesFile.Write(store, _collection, file, bytes, run.Cancel);
        return PublishedQuantizer.Parse(file, bytes, file);
    }

    /// <inheritdoc/>
    public ICheckpointStore Checkpoint(string name) => new StoredCheckpoint(store, run, name);

    /// <inheritdoc/>
    public void Begin(TrainingStep step, uint codesVersion)
    {
        run.MustHold();
        run.Change(record => record with { Step = step, CodesVersion = codesVersion, Phase = "", PhaseDone = 0, PhaseTotal = 0, Reason = null });
        run.Save();
    }

    /// <inheritdoc/>
    public Problem? Commit(CollectionManifest old, CollectionManifest next)
    {
        foreach (string file in next.Files.Except(old.Files))
        {
            if (store.LengthOf(_collection, file, run.Cancel) is null)
            {
                throw new IOException($"{Name}: {file} is gone, which was there"); // removed by a trainer that was late; it is made again
            }
        }

        run.MustHold();
        return ManifestCommit.InStore(store, _collection, old, next, CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask TurnAsync(CollectionManifest manifest, CancellationToken cancel)
    {
        while (await MapAsync(manifest, cancel).ConfigureAwait(false) is { } map && map.CodesVersion < manifest.CodesVersion)
        {
            await waits.Pause(options.Look, cancel).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <inheritdoc/>
    /// <remarks>Old codes are let go by each silo itself, when its map has turned. Its own stay where another silo goes on with the training.</remarks>
    public bool MayDrop(bool isCommitted) => !isCommitted && run.MayHold && (run.IsStopped || !run.Cancel.IsCancellationRequested);

    /// <summary>A checkpoint in the store, and with it the record, whose curves go on with it.</summary>
    private sealed class StoredCheckpoint(ISegmentStore store, TrainingRun run, string name) : ICheckpointStore
    {
        public byte[]? Load() => BytesFile.Read(store, run.Record.Collection, name, run.Cancel);

        public void Save(byte[] bytes)
        {
            run.MustHold();
            BytesFile.Write(store, run.Record.Collection, name, bytes, run.Cancel);
            run.Save();
        }
    }
}
