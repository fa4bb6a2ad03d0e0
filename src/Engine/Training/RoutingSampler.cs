using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Engine.Training;

/// <summary>
/// Draws the training data of RPQ from a shard: searches its real graph for training queries and keeps what they decided on (Yue,
/// Xu, Wang, Tao, Luo, "Routing-Guided Learned Product Quantization for Graph-Based Approximate Nearest Neighbor Search", ICDE 2024,
/// arXiv 2311.18724: neighbourhood features and routing features).
/// </summary>
public static class RoutingSampler
{
    private const int ChunkQueries = 16;

    /// <summary>Walks <paramref name="segment"/> on its codes for each of <paramref name="queries"/>.</summary>
    /// <param name="segment">With codes.</param>
    /// <param name="queries">In the segment's dimension and element type; none gives an empty sample.</param>
    /// <param name="options">Settings; the number of queries is that of <paramref name="queries"/>.</param>
    /// <param name="work">Threads (which change nothing in the result), progress, cancellation.</param>
    /// <exception cref="ProblemException">Settings out of range, no codes, queries that do not fit, a sample too large.</exception>
    public static RoutingSample Sample(in SegmentView segment, QuerySet queries, SamplingOptions options, Work work) =>
        Sample(segment, queries, SearchMode.Codes, options, work);

    /// <summary>
    /// As the other, on codes or on exact distances. The latter are the same walks for every quantizer, so that quantizers can be
    /// compared by what they would have decided.
    /// </summary>
    /// <param name="mode">Codes or Exact.</param>
    public static RoutingSample Sample(SegmentView segment, QuerySet queries, SearchMode mode, SamplingOptions options, Work work)
    {
        Check.That(mode is SearchMode.Codes or SearchMode.Exact);
        if (Fault(segment, queries, mode, options) is { } problem)
        {
            throw new ProblemException(problem);
        }

        uint[][] truth = TrueNeighbours.Of(segment, queries, options.Positives, work);
        ReverseEdges? edges = options.Label == HopLabel.LeadsToNeighbour ? new ReverseEdges(segment.Graph) : null;
        var traces = new QueryTrace[queries.Count];
        using (var tracers = new PerWorker<QueryTracer>(work.Threads, () => new QueryTracer(segment, mode, options, edges)))
        {
            work.For("walk for training queries", traces.Length, ChunkQueries, (from, to, worker) =>
            {
                for (int q = (int)from; q < to; q++)
                {
                    traces[q] = tracers[worker].Trace(queries, q, truth[q]);
                }
            });
        }

        return SampleAssembly.Assemble(segment, queries, traces, mode == SearchMode.Codes ? segment.Quantizer!.Version : 0, work);
    }

    private static Problem? Fault(in SegmentView segment, QuerySet queries, SearchMode mode, SamplingOptions options)
    {
        if (Problem.Join([.. options.Validate()]) is { } wrong)
        {
            return wrong;
        }

        if (queries.Vectors.Dim != segment.Vectors.Dim || queries.Vectors.Type != segment.Vectors.Type)
        {
            return new Problem(
                ProblemCode.WrongDimension, "training queries", $"{queries.Vectors.Dim} x {queries.Vectors.Type}",
                $"{segment.Vectors.Dim} x {segment.Vectors.Type}", "Use queries like the vectors of the collection.");
        }

        return Searcher.Validate(segment, new SearchParameters(1, options.L, mode));
    }
}
