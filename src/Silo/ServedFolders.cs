using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;
using Signpost.Silo.Cluster;
using Signpost.Silo.Http;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo;

/// <summary>
/// The collections of some folders, all open in this process: what a silo that is alone serves. It trains them too, as a silo of a cluster does, and begins by
/// going on with what an earlier process was at.
/// </summary>
internal sealed class ServedFolders : IServed, IAdmin, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyDictionary<string, OpenCollection> _collections;
    private readonly string[] _trainable;
    private readonly Action<string> _say;
    private readonly Trainer _trainer;
    private readonly Repeated _training;
    private readonly Repeated _lease;

    /// <param name="root">Where the folders are.</param>
    /// <param name="collections">What is served, by name; stays open.</param>
    /// <param name="state">Where their maps are.</param>
    /// <param name="threads">Most threads of a training.</param>
    /// <param name="say">Takes a line for the operator.</param>
    public ServedFolders(string root, IReadOnlyDictionary<string, OpenCollection> collections, IClusterState state, int threads, Action<string> say)
    {
        (_collections, _say) = (collections, say);
        _trainable = [.. collections.Keys.Where(name => FolderNameOf(name) == name)]; // the store has a collection by the name of its folder
        var client = new LocalShardClient(EmbeddedCluster.Silo, name => collections.GetValueOrDefault(name)?.Shards);
        var store = new DirectorySegmentStore(FileDisk.Instance, root);
        var options = new TrainerOptions { ThreadsMax = threads };
        _trainer = new Trainer(state, EmbeddedCluster.Silo, store, FileDisk.Instance, client, options, TimeProvider.System);
        _lease = new Repeated("lease of a training", options.Lease / 6, _trainer.BeatAsync, say);
        _training = new Repeated("training", Interval, TrainAsync, say);
    }

    /// <inheritdoc/>
    public IEnumerable<IServedCollection> Collections => _collections.Values.OrderBy(c => c.Name, StringComparer.Ordinal);

    /// <inheritdoc/>
    public string? NotReady => null;

    /// <inheritdoc/>
    public SiloFacts? Facts => null;

    /// <inheritdoc/>
    public IAdmin Admin => this;

    /// <inheritdoc/>
    public IReadOnlyList<TrainingRecord> Trainings => _trainer.Known;

    /// <inheritdoc/>
    public IServedCollection? Find(string name) => _collections.GetValueOrDefault(name);

    /// <inheritdoc/>
    public ClusterReply Describe(string url, int waiting, SiloTraffic traffic) => ClusterView.Embedded(this, waiting, url, traffic);

    /// <inheritdoc/>
    public Outcome<DrainReply> Drain(DrainBody body) => Alone("drain");

    /// <inheritdoc/>
    public Outcome<PlanReply> Rebalance(RebalanceBody body) => Alone("rebalance");

    /// <inheritdoc/>
    public ValueTask<Outcome<TrainingReply>> TrainAsync(TrainBody body, CancellationToken cancel) =>
        Find(body.Collection) is null || _trainable.Contains(body.Collection)
            ? TrainingCalls.AnswerAsync(this, _trainer, StartAsync, body, cancel)
            : new ValueTask<Outcome<TrainingReply>>(new Problem(
                ProblemCode.NotSupported, $"training of {body.Collection}", $"a folder of another name, {FolderNameOf(body.Collection)}", "a folder of the collection's name",
                "Rename the folder, or train it by signpost train --collection FOLDER: the server turns to the new codes."));

    /// <summary>Ends a training here; the next process that serves the folder goes on with it.</summary>
    public void Dispose()
    {
        _trainer.Leave();
        _training.Dispose();
        _lease.Dispose();
    }

    private static Problem Alone(string what) => new(ProblemCode.NotSupported, what, "a silo that is alone", "a silo of a cluster", "Start it with runtime: redis.");

    private string FolderNameOf(string collection) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_collections[collection].Folder)));

    private async ValueTask<Outcome<TrainingRecord>> StartAsync(string collection, TrainingOrder order, CancellationToken cancel)
    {
        Outcome<TrainingRecord> begun = await _trainer.StartAsync(collection, order, cancel).ConfigureAwait(false);
        _training.Wake();
        return begun;
    }

    private async ValueTask TrainAsync(CancellationToken cancel)
    {
        await _trainer.LookAsync(_trainable, mayAdopt: true, cancel).ConfigureAwait(false);
        if (await _trainer.RunAsync(cancel).ConfigureAwait(false) is { } ended)
        {
            _say(ended);
        }
    }
}
