using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Tests;

internal static class Example
{
    public static void Build(string vectorFile, string folder)
    {
        using VectorBlock vectors = VectorFile.Open(vectorFile);
        var options = new BuildOptions { Name = "mine", Quantizer = QuantizerKind.Pq };
        CollectionBuilder.Build(FileDisk.Instance, folder, new BuildInput(vectors), options, new Work(Environment.ProcessorCount)).OrThrow();
    }

    public static Hit[] Nearest(string folder, float[] vector, int k)
    {
        // These two are made once and used by all threads.
        using Collection collection = Collection.Open(FileDisk.Instance, folder, new CollectionOptions(), Work.Quiet).OrThrow();
        Coordinator coordinator = EmbeddedCluster.Over(collection);

        // A thread makes one query, and sets it to one vector after the other.
        using Query query = collection.NewQuery();
        if (query.Set(vector) is { } problem)
        {
            throw new ProblemException(problem);
        }

        var hits = new Hit[k];
        var request = new SearchRequest(new SearchParameters(k, L: Math.Max(k, 64), SearchMode.CodesRerank));
        SearchAnswer answer = coordinator.Search(query, request, Deadline.After(TimeSpan.FromSeconds(1)), hits).OrThrow();
        return hits[..answer.Count]; // id and distance, nearest first
    }
}
