using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using ShardPart = Signpost.Engine.Training.RpqBatches.ShardPart;

namespace Signpost.Engine.Training;

/// <summary>A batch that is being put together, query by query; a vertex is in it once, however often it is named. Used for one after another.</summary>
internal sealed unsafe class BatchDraft(RpqOptions options)
{
    private const int ChunkRows = 512;

    private readonly List<(ShardPart Part, int Row)> _anchors = [];
    private readonly List<(ShardPart Part, int Row)> _vertices = [];
    private readonly List<RpqTriplet> _triplets = [];
    private readonly List<int> _recordAnchors = [];
    private readonly List<int> _starts = [0];
    private readonly List<int> _candidates = [];
    private readonly List<bool> _acceptable = [];
    private readonly List<float> _weights = [];

    /// <summary>Adds a query with some of its records and triplets.</summary>
    public void Add(ShardPart part, int query, ref Seeded random)
    {
        int anchor = _anchors.Count;
        _anchors.Add((part, query));
        int first = part.FirstRecord[query];
        int records = part.FirstRecord[query + 1] - first;
        foreach (int record in RpqBatches.Different(records, Math.Min(records, options.RecordsPerQuery), ref random))
        {
            AddRecord(part, anchor, first + record);
        }

        RoutingSample sample = part.Decisions;
        ReadOnlySpan<int> positives = sample.Positives.AsSpan(sample.PositiveStarts[query]..sample.PositiveStarts[query + 1]);
        ReadOnlySpan<int> negatives = sample.Negatives.AsSpan(sample.NegativeStarts[query]..sample.NegativeStarts[query + 1]);
        for (int i = 0; i < options.TripletsPerQuery && positives.Length > 0 && negatives.Length > 0; i++)
        {
            int positive = PlaceOf(part, positives[random.Next(positives.Length)]);
            _triplets.Add(new RpqTriplet(anchor, positive, PlaceOf(part, negatives[random.Next(negatives.Length)])));
        }
    }

    /// <summary>The batch; what is added from now on is part of the next.</summary>
    public RpqBatch Finish(long step, Work work)
    {
        int dim = _anchors[0].Part.Queries.Dim;
        var batch = new RpqBatch
        {
            Anchors = Gather(_anchors, dim, part => part.Queries, work),
            Vertices = Gather(_vertices, dim, part => part.Vertices, work),
            Triplets = [.. _triplets],
            Records = new RpqRecords
            {
                Anchors = [.. _recordAnchors],
                Starts = [.. _starts],
                Candidates = [.. _candidates],
                Acceptable = [.. _acceptable],
                Weights = [.. _weights],
            },
            Codes = options.FixedCodes ? GatherCodes() : null,
            Step = step,
        };
        _anchors.Clear();
        _vertices.Clear();
        _triplets.Clear();
        _recordAnchors.Clear();
        _starts.RemoveRange(1, _starts.Count - 1);
        _candidates.Clear();
        _acceptable.Clear();
        _weights.Clear();
        return batch;
    }

    private void AddRecord(ShardPart part, int anchor, int record)
    {
        RoutingSample sample = part.Decisions;
        int from = sample.CandidateStarts[record], to = sample.CandidateStarts[record + 1];
        for (int i = from; i < to; i++)
        {
            _candidates.Add(PlaceOf(part, sample.Candidates[i]));
            _acceptable.Add(sample.IsRight[i] == 1);
        }

        _recordAnchors.Add(anchor);
        _starts.Add(_candidates.Count);
        _weights.Add(WeightOf(sample.Distances.AsSpan(from..to), options.RecordWeights));
    }

    /// <summary>Weight of a decision among candidates at these true distances.</summary>
    internal static float WeightOf(ReadOnlySpan<float> distances, RecordWeights weights)
    {
        if (weights != RecordWeights.Margin || distances.Length < 2)
        {
            return weights == RecordWeights.InverseSize ? 1f / distances.Length : 1f;
        }

        float nearest = float.PositiveInfinity, second = float.PositiveInfinity;
        foreach (float distance in distances)
        {
            second = Math.Min(second, Math.Max(nearest, distance));
            nearest = Math.Min(nearest, distance);
        }

        return second > 0 ? nearest / second : 1f;
    }

    private int PlaceOf(ShardPart part, int vertex)
    {
        int place = part.PlaceOf(vertex, _vertices.Count, out bool isNew);
        if (isNew)
        {
            _vertices.Add((part, vertex));
        }

        return place;
    }

    private static FloatRows Gather(List<(ShardPart Part, int Row)> chosen, int width, Func<ShardPart, FloatRows> rowsOf, Work work)
    {
        var gathered = new FloatRows(chosen.Count, width);
        work.Silent().For("gather", chosen.Count, ChunkRows, (from, to, _) =>
        {
            for (int i = (int)from; i < to; i++)
            {
                float* source = rowsOf(chosen[i].Part).Row(chosen[i].Row);
                new ReadOnlySpan<float>(source, width).CopyTo(new Span<float>(gathered.Row(i), width));
            }
        });
        return gathered;
    }

    private byte[] GatherCodes()
    {
        var codes = new byte[_vertices.Count * options.M];
        for (int i = 0; i < _vertices.Count; i++)
        {
            (ShardPart part, int row) = _vertices[i];
            part.Codes.AsSpan(row * options.M, options.M).CopyTo(codes.AsSpan(i * options.M));
        }

        return codes;
    }
}
