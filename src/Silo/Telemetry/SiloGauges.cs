using System.Diagnostics.Metrics;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Silo.Http;

namespace Signpost.Silo.Telemetry;

/// <summary>What a silo of a cluster is, for its metrics.</summary>
internal sealed record SiloFacts
{
    public required bool IsLeader { get; init; }

    /// <summary>Whether its lease lets it answer.</summary>
    public required bool MayServe { get; init; }

    public required bool IsStateReachable { get; init; }

    /// <summary>Of its membership; 0 while it has none.</summary>
    public required long Epoch { get; init; }

    public required long LeasesLost { get; init; }

    /// <summary>Members of the cluster that it knows of, itself included.</summary>
    public required int Silos { get; init; }

    /// <summary>Copies that every shard is to have.</summary>
    public required int Replicas { get; init; }

    /// <summary>Memory that its shards may take.</summary>
    public required long MemoryLimit { get; init; }
}

/// <summary>The metrics that are looked up when somebody asks for them: what is open, what waits, who leads.</summary>
internal sealed class SiloGauges
{
    private static readonly (SearchLane Lane, string Word)[] Lanes = [(SearchLane.OfSilos, "silos"), (SearchLane.OfClients, "clients")];

    private readonly Meter _meter;
    private readonly string _silo;
    private readonly IServed _served;

    /// <param name="meter">What they belong to.</param>
    /// <param name="silo">Name of this silo.</param>
    /// <param name="served">What it serves.</param>
    /// <param name="threads">Those that search.</param>
    /// <param name="cache">Files fetched from the segment store; null: none are.</param>
    public SiloGauges(Meter meter, string silo, IServed served, SearchThreads threads, SegmentCache? cache)
    {
        (_meter, _silo, _served) = (meter, silo, served);
        OfThreads(threads);
        OfCollections();
        OfCluster();
        OfTrainings();
        if (cache is not null)
        {
            Gauge("signpost.cache.size", "By", "Bytes of the files in the segment cache.", () => cache.Bytes);
            Counter("signpost.cache.fetched.files", "{file}", "Files fetched from the segment store.", () => cache.Fetched.Files);
            Counter("signpost.cache.fetched.size", "By", "Bytes fetched from the segment store.", () => cache.Fetched.Bytes);
        }
    }

    private IEnumerable<IServedCollection> Collections => _served.Collections;

    private void OfThreads(SearchThreads threads)
    {
        Gauge("signpost.search.threads", "{thread}", "Search threads.", () => threads.Count);
        _meter.CreateObservableCounter(
            "signpost.search.busy_time", () => threads.BusyTime.TotalSeconds, "s", "Time that all search threads together have worked.");
        Each("signpost.search.waiting", "{search}", "Searches that wait or run, by whom they are for.", threads, counts => counts.Inside, isCounter: false);
        Each("signpost.search.done", "{search}", "Searches done, by whom they were for.", threads, counts => counts.Done, isCounter: true);
        Each("signpost.search.refused", "{search}", "Searches refused because too many waited.", threads, counts => counts.Refused, isCounter: true);
    }

    private void Each(string name, string unit, string what, SearchThreads threads, Func<SearchLaneCounts, long> value, bool isCounter)
    {
        Many(name, unit, what, isCounter, () => Lanes.Select(lane =>
            new Measurement<long>(value(threads.CountsOf(lane.Lane)), new KeyValuePair<string, object?>("lane", lane.Word))));
    }

    private void OfCollections()
    {
        PerCollection("signpost.collection.resident_size", "By", "Memory that the open shards take: graph, codes, ids, loaded vectors.", c => c.Memory.Resident);
        PerCollection("signpost.collection.mapped_size", "By", "Bytes of full vectors that stay in files, read when touched.", c => c.Memory.VectorsMapped);
        PerCollection("signpost.collection.open_vectors", "{vector}", "Vectors in the open shards.", c => c.Memory.Count);
        PerCollection("signpost.collection.vectors", "{vector}", "Vectors of the collection, in all silos.", c => c.Map.Vectors);
        PerCollection("signpost.collection.shards", "{shard}", "Shards of the collection, in all silos.", c => c.Map.Shards.Length);
        PerCollection(
            "signpost.collection.unserved_shards", "{shard}", "Shards that no silo serves: answers are partial.", c => c.Map.Shards.Count(shard => !shard.IsServing));
        Many(
            "signpost.collection.underreplicated_shards", "{shard}", "Shards of which fewer copies serve than cluster.replicas.", false,
            () => _served.Facts is { } facts ? Collections.Select(c => new Measurement<long>(c.Map.Shards.Count(s => s.Serving.Count() < facts.Replicas), Of(c))) : []);
        PerCollection("signpost.map.version", "1", "Version of the shard map that queries use.", c => c.Map.Version);
        PerCollection("signpost.codes.version", "1", "Number of the training whose codes queries use.", c => c.Map.CodesVersion);
        _meter.CreateObservableGauge(
            "signpost.collection.resident_size_per_vector", () => Collections.Select(c => new Measurement<double>(c.Memory.ResidentPerVector, Of(c))), "By",
            "Resident bytes for each vector of the open shards.");
        Many("signpost.shards", "{shard}", "Copies of shards that the map gives this silo, by state.", false, () => Collections.SelectMany(OfStates));
    }

    private void OfCluster()
    {
        Fact("signpost.leader", "1", "1 where this silo places shards, else 0.", facts => facts.IsLeader ? 1 : 0);
        Fact("signpost.lease.held", "1", "1 while the lease lets this silo answer, else 0.", facts => facts.MayServe ? 1 : 0);
        Fact("signpost.lease.epoch", "1", "Epoch of this silo's membership.", facts => facts.Epoch);
        Fact("signpost.cluster_state.reachable", "1", "1 where the last beat reached the cluster state, else 0.", facts => facts.IsStateReachable ? 1 : 0);
        Fact("signpost.cluster.silos", "{silo}", "Members of the cluster, as this silo sees them.", facts => facts.Silos);
        Fact("signpost.memory.limit", "By", "Memory that the shards of this silo may take.", facts => facts.MemoryLimit);
        Fact("signpost.lease.losses", "{lease}", "Leases that ended before they were given up.", facts => facts.LeasesLost, isCounter: true);
        Gauge("signpost.ready", "1", "1 while requests are answered, else 0.", () => _served.NotReady is null ? 1 : 0);
    }

    private void OfTrainings()
    {
        Many(
            "signpost.training.running", "{training}", "1 for a collection that this silo trains.", false,
            () => Here.Where(training => training.State == TrainingState.Running).Select(training => new Measurement<long>(1, Of(training))));
        Many(
            "signpost.training.steps", "{step}", "Steps that rpq has made in the training that runs here or was the last to.", false,
            () => Here.Where(training => training.Points.Count > 0).Select(training => new Measurement<long>(training.Points[^1].Step, Of(training))));
        _meter.CreateObservableGauge("signpost.training.loss", () => Last(point => point.Loss), null, "Loss of the last of these steps that was told.");
        _meter.CreateObservableGauge("signpost.training.recall", () => Last(point => point.Recall), null, "The last recall@10 of its held-out queries on codes.");
    }

    /// <summary>The trainings that this silo runs, or was the last to run.</summary>
    private IEnumerable<TrainingRecord> Here => _served.Trainings.Where(training => training.Silo == _silo);

    private IEnumerable<Measurement<double>> Last(Func<TrainingPoint, double?> of) =>
        from training in Here
        let values = training.Points.Select(of).OfType<double>().ToArray()
        where values.Length > 0
        select new Measurement<double>(values[^1], Of(training));

    private static KeyValuePair<string, object?> Of(TrainingRecord training) => new("collection", training.Collection);

    private void Gauge(string name, string unit, string what, Func<long> value) => _meter.CreateObservableGauge(name, value, UnitOf(unit), what);

    private void Counter(string name, string unit, string what, Func<long> value) => _meter.CreateObservableCounter(name, value, unit, what);

    /// <summary>A value for each of several; "1" is no unit of theirs, it would make a ratio of them.</summary>
    private void Many(string name, string unit, string what, bool isCounter, Func<IEnumerable<Measurement<long>>> values)
    {
        if (isCounter)
        {
            _meter.CreateObservableCounter(name, values, UnitOf(unit), what);
        }
        else
        {
            _meter.CreateObservableGauge(name, values, UnitOf(unit), what);
        }
    }

    private void PerCollection(string name, string unit, string what, Func<IServedCollection, long> value) =>
        Many(name, unit, what, false, () => Collections.Select(c => new Measurement<long>(value(c), Of(c))));

    private void Fact(string name, string unit, string what, Func<SiloFacts, long> value, bool isCounter = false) =>
        Many(name, unit, what, isCounter, () => _served.Facts is { } facts ? [new Measurement<long>(value(facts))] : []);

    private IEnumerable<Measurement<long>> OfStates(IServedCollection collection) => Enum.GetValues<ReplicaState>().Select(state => new Measurement<long>(
        collection.Map.Shards.Count(shard => shard.Replicas.Any(replica => replica.Silo == _silo && replica.State == state)), Of(collection),
        new KeyValuePair<string, object?>("state", state.ToString().ToLowerInvariant())));

    private static KeyValuePair<string, object?> Of(IServedCollection collection) => new("collection", collection.Name);

    private static string? UnitOf(string unit) => unit == "1" ? null : unit;
}
