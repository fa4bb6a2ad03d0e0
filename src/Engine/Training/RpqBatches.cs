using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>The samples of all shards in the space of a training, and the batches that are drawn from them.</summary>
/// <remarks>
/// Takes the vectors out of the samples, which may be let go then: memory is one float per component of every query and vertex. A
/// batch depends on the seed and the number of its step alone, so a training goes on anywhere as if it had not stopped.
/// </remarks>
internal sealed unsafe class RpqBatches : IDisposable
{
    private readonly RpqOptions _options;
    private readonly BatchDraft _draft;
    private readonly ShardPart[] _parts;
    private readonly int[] _firstQuery; // of each shard among all, and the end

    /// <summary>Of the traces of every shard, which have samples.</summary>
    public RpqBatches(IReadOnlyList<ShardTrace> traces, RpqSpace space, RpqOptions options, Work work)
    {
        _options = options;
        _draft = new BatchDraft(options);
        _parts = [.. traces.Select(trace => new ShardPart(trace, space, options, work))];
        _firstQuery = new int[_parts.Length + 1];
        for (int i = 0; i < _parts.Length; i++)
        {
            _firstQuery[i + 1] = _firstQuery[i] + _parts[i].Queries.Count;
        }
    }

    /// <summary>Whether there is anything to learn from: a decision between two vertices, or a neighbour and one that is none.</summary>
    public bool HasLessons => _parts.Any(part =>
        (_options.RecordsPerQuery > 0 && part.Decisions.RecordCount > 0)
        || (_options.TripletsPerQuery > 0 && part.Decisions.Positives.Length > 0 && part.Decisions.Negatives.Length > 0));

    /// <summary>Queries of all shards.</summary>
    public int Queries => _firstQuery[^1];

    /// <summary>The batch of a step; the caller disposes its anchors and vertices.</summary>
    public RpqBatch Draw(long step, Work work)
    {
        var random = new Seeded(_options.Seed, RandomStreams.Batch + (ulong)step);
        foreach (int query in Different(Queries, Math.Min(Queries, _options.BatchQueries), ref random))
        {
            int shard = Array.FindLastIndex(_firstQuery, first => first <= query);
            _draft.Add(_parts[shard], query - _firstQuery[shard], ref random);
        }

        foreach (ShardPart part in _parts)
        {
            part.Forget();
        }

        return _draft.Finish(step, work);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ShardPart part in _parts)
        {
            part.Dispose();
        }
    }

    /// <summary><paramref name="wanted"/> different numbers below <paramref name="count"/> in random order.</summary>
    internal static int[] Different(int count, int wanted, ref Seeded random)
    {
        // A Fisher-Yates shuffle that is stopped early and remembers only what it has moved.
        var moved = new Dictionary<int, int>();
        var chosen = new int[wanted];
        for (int i = 0; i < wanted; i++)
        {
            int at = i + random.Next(count - i);
            chosen[i] = moved.GetValueOrDefault(at, at);
            moved[at] = moved.GetValueOrDefault(i, i);
        }

        return chosen;
    }

    /// <summary>The sample of one shard.</summary>
    internal sealed class ShardPart : IDisposable
    {
        private readonly int[] _places; // of each vertex in the batch that is being drawn, or -1
        private readonly List<int> _placed = [];

        public ShardPart(ShardTrace trace, RpqSpace space, RpqOptions options, Work work)
        {
            RoutingSample sample = trace.Sample!;
            Check.That(sample.Dim == space.Dim);
            Decisions = WithoutVectors(sample);
            Queries = space.Take(sample.Queries, work);
            Vertices = space.Take(sample.Vectors, work);
            Codes = options.FixedCodes ? NumbersOf(trace.Codes, sample.VertexCount, options) : null;
            _places = new int[sample.VertexCount];
            Array.Fill(_places, -1);
            FirstRecord = new int[sample.QueryCount + 1];
            foreach (int query in sample.RecordQueries)
            {
                FirstRecord[query + 1]++;
            }

            for (int i = 0; i < sample.QueryCount; i++)
            {
                FirstRecord[i + 1] += FirstRecord[i];
            }
        }

        /// <summary>The sample but for its vectors.</summary>
        public RoutingSample Decisions { get; }

        public FloatRows Queries { get; }

        public FloatRows Vertices { get; }

        /// <summary>One byte per subspace, shape [vertices, M]; null where codes are not given.</summary>
        public byte[]? Codes { get; }

        /// <summary>First record of each query, and the end of the last.</summary>
        public int[] FirstRecord { get; }

        /// <summary>The place of a vertex in the batch: the one it has, or the next.</summary>
        public int PlaceOf(int vertex, int next, out bool isNew)
        {
            isNew = _places[vertex] < 0;
            if (isNew)
            {
                _places[vertex] = next;
                _placed.Add(vertex);
            }

            return _places[vertex];
        }

        /// <summary>Makes it ready for the next batch.</summary>
        public void Forget()
        {
            _placed.ForEach(vertex => _places[vertex] = -1);
            _placed.Clear();
        }

        public void Dispose()
        {
            Queries.Dispose();
            Vertices.Dispose();
        }

        private static RoutingSample WithoutVectors(RoutingSample sample) => new()
        {
            Dim = sample.Dim,
            Metric = sample.Metric,
            QuantizerVersion = sample.QuantizerVersion,
            Queries = [],
            Vertices = sample.Vertices,
            Vectors = [],
            RecordQueries = sample.RecordQueries,
            RecordHops = sample.RecordHops,
            RecordLengths = sample.RecordLengths,
            CandidateStarts = sample.CandidateStarts,
            Candidates = sample.Candidates,
            Distances = sample.Distances,
            IsRight = sample.IsRight,
            PositiveStarts = sample.PositiveStarts,
            Positives = sample.Positives,
            NegativeStarts = sample.NegativeStarts,
            Negatives = sample.Negatives,
        };

        private static byte[] NumbersOf(byte[] codes, int count, RpqOptions options)
        {
            int codeBytes = codes.Length / Math.Max(1, count);
            var numbers = new byte[count * options.M];
            for (int i = 0; i < numbers.Length; i++)
            {
                numbers[i] = (byte)CodeNumbers.Read(codes.AsSpan(i / options.M * codeBytes, codeBytes), i % options.M, options.K);
            }

            return numbers;
        }
    }
}
