using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;

namespace Signpost.Engine.Training;

/// <summary>Makes one <see cref="RoutingSample"/> of the traces of its queries.</summary>
internal static unsafe class SampleAssembly
{
    private const int ChunkRows = 1024;

    /// <summary>The sample of <paramref name="traces"/>, one for each of <paramref name="queries"/>.</summary>
    /// <exception cref="ProblemException">The vectors are more than one sample holds, 2^31 components.</exception>
    public static RoutingSample Assemble(SegmentView segment, QuerySet queries, QueryTrace[] traces, uint quantizerVersion, Work work)
    {
        (uint[] vertices, int[] rowOf) = Distinct(traces, segment.Graph.Count);
        int dim = segment.Vectors.Dim;
        Refuse(Math.Max((long)vertices.Length, queries.Count) * dim);
        HopRecord[] records = [.. traces.SelectMany(trace => trace.Records)];
        HopCandidate[] candidates = [.. records.SelectMany(record => record.Candidates)];
        var sample = new RoutingSample
        {
            Dim = dim,
            Metric = segment.Metric,
            QuantizerVersion = quantizerVersion,
            Queries = new float[queries.Count * dim],
            Vertices = vertices,
            Vectors = new float[vertices.Length * dim],
            RecordQueries = [.. traces.SelectMany((trace, query) => trace.Records.Select(_ => query))],
            RecordHops = [.. records.Select(record => record.Hop)],
            RecordLengths = [.. traces.SelectMany(trace => trace.Records.Select(_ => trace.Length))],
            CandidateStarts = Starts([.. records.Select(record => record.Candidates.Length)]),
            Candidates = [.. candidates.Select(candidate => rowOf[candidate.Vertex])],
            Distances = [.. candidates.Select(candidate => candidate.Distance)],
            IsRight = [.. candidates.Select(candidate => candidate.IsRight ? (byte)1 : (byte)0)],
            PositiveStarts = Starts([.. traces.Select(trace => trace.Positives.Length)]),
            Positives = [.. traces.SelectMany(trace => trace.Positives).Select(vertex => rowOf[vertex])],
            NegativeStarts = Starts([.. traces.Select(trace => trace.Negatives.Length)]),
            Negatives = [.. traces.SelectMany(trace => trace.Negatives).Select(vertex => rowOf[vertex])],
        };
        work.For("read sampled vectors", queries.Count + (long)vertices.Length, ChunkRows, (from, to, _) =>
        {
            for (long i = from; i < to; i++)
            {
                bool isQuery = i < queries.Count;
                int row = (int)(isQuery ? i : i - queries.Count);
                fixed (float* target = (isQuery ? sample.Queries : sample.Vectors).AsSpan(row * dim, dim))
                {
                    FloatRows.Read(isQuery ? queries.Vectors : segment.Vectors, isQuery ? row : vertices[row], 1, segment.Metric, target);
                }
            }
        });
        string? fault = sample.Fault();
        return fault is null ? sample : throw new CheckFailedException($"a sample has {fault}");
    }

    /// <summary>The vertices that occur, ascending, and the place of each among them.</summary>
    private static (uint[] Vertices, int[] RowOf) Distinct(QueryTrace[] traces, uint count)
    {
        var rowOf = new int[count];
        foreach (QueryTrace trace in traces)
        {
            foreach (uint vertex in trace.Positives.Concat(trace.Negatives))
            {
                rowOf[vertex] = 1;
            }

            foreach (HopCandidate candidate in trace.Records.SelectMany(record => record.Candidates))
            {
                rowOf[candidate.Vertex] = 1;
            }
        }

        var vertices = new List<uint>();
        for (uint vertex = 0; vertex < count; vertex++)
        {
            if (rowOf[vertex] != 0)
            {
                rowOf[vertex] = vertices.Count;
                vertices.Add(vertex);
            }
        }

        return ([.. vertices], rowOf);
    }

    private static int[] Starts(int[] lengths)
    {
        var starts = new int[lengths.Length + 1];
        for (int i = 0; i < lengths.Length; i++)
        {
            starts[i + 1] = checked(starts[i] + lengths[i]);
        }

        return starts;
    }

    private static void Refuse(long components)
    {
        if (components > Array.MaxLength)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "size of a sample", $"{components} components", $"at most {Array.MaxLength}",
                "Ask for fewer training queries, or fewer hops, candidates or negatives of each."));
        }
    }
}
