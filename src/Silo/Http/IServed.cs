using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Http;

/// <summary>What a process serves, alone or as a silo of a cluster.</summary>
internal interface IServed
{
    /// <summary>The collections, by name.</summary>
    IEnumerable<IServedCollection> Collections { get; }

    /// <summary>Why requests are not answered yet; null where they are.</summary>
    string? NotReady { get; }

    /// <summary>The collection of a name; null where there is none.</summary>
    IServedCollection? Find(string name);

    /// <summary>What it is in its cluster; null where it is alone.</summary>
    SiloFacts? Facts { get; }

    /// <summary>What an operator may ask of it.</summary>
    IAdmin Admin { get; }

    /// <summary>The last training of each collection that had one, as this process knows them.</summary>
    IReadOnlyList<TrainingRecord> Trainings { get; }

    /// <summary>Who is there, and who holds what.</summary>
    ClusterReply Describe(string url, int waiting, SiloTraffic traffic);
}

/// <summary>A collection that requests can name, whoever holds its shards. Thread-safe.</summary>
internal interface IServedCollection
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>Components of a vector.</summary>
    int Dim { get; }

    /// <summary>Type of a component.</summary>
    ElementType Type { get; }

    /// <summary>Its metric.</summary>
    Metric Metric { get; }

    /// <summary>Whether it can be walked on codes.</summary>
    bool HasCodes { get; }

    /// <summary>Who holds what of it.</summary>
    ShardMap Map { get; }

    /// <summary>Queries of its shape, to be rented.</summary>
    QueryPool Queries { get; }

    /// <summary>Bytes of a vector.</summary>
    int RowBytes => Dim * Type.Bytes();

    /// <summary>Name of its codes: none, pq, opq, rpq.</summary>
    string Quantizer { get; }

    /// <summary>Bytes of the shards that are open here.</summary>
    SegmentMemory Memory { get; }

    /// <summary>Memory in use per vector that is held here: graph, codes, ids.</summary>
    double ResidentBytesPerVector { get; }

    /// <summary>Why it cannot be searched like that; null when it can.</summary>
    Problem? Validate(in SearchParameters parameters) => Searcher.Validate(HasCodes, parameters);

    /// <summary>The nearest vectors to the front of <paramref name="target"/>. Where other silos are asked too, the answer comes later.</summary>
    ValueTask<Outcome<SearchAnswer>> SearchAsync(Query query, in SearchRequest request, Deadline deadline, Memory<Hit> target);
}
