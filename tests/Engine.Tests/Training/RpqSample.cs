using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Tests.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

/// <summary>Made parameters and batches for the tests of <see cref="RpqModel"/>.</summary>
internal static class RpqSample
{
    /// <summary>Random codewords, a random rotation and temperatures around <paramref name="temperature"/>.</summary>
    public static RpqParameters Parameters(int dim, int m, int k, double temperature = 0.5, ulong seed = 1) => new(
        dim,
        m,
        k,
        TestVectors.Normal(k, dim, seed),
        Rotations.PolarFactor(TestVectors.Normal(dim, dim, seed + 1), dim, Work.Quiet)!,
        [.. Enumerable.Range(0, m).Select(i => (float)(Math.Log(temperature) + 0.1 * i))]);

    /// <summary>Standard normal rows.</summary>
    public static unsafe FloatRows Rows(int count, int dim, ulong seed)
    {
        var rows = new FloatRows(count, dim);
        TestVectors.Normal(count, dim, seed).CopyTo(new Span<float>(rows.First, count * dim));
        return rows;
    }

    /// <summary>
    /// Random triplets, and records of 1 .. 6 candidates of which 1 .. all are acceptable; vertices are repeated within and between
    /// records.
    /// </summary>
    public static RpqBatch Batch(int dim, int anchors, int vertices, int triplets, int records, ulong seed = 7, byte[]? codes = null)
    {
        var random = new Seeded(seed, 3);
        var starts = new List<int> { 0 };
        var candidates = new List<int>();
        var acceptable = new List<bool>();
        for (int i = 0; i < records; i++)
        {
            int size = 1 + i % 6;
            int right = 1 + random.Next(size);
            for (int j = 0; j < size; j++)
            {
                candidates.Add(random.Next(vertices));
                acceptable.Add(j < right);
            }

            starts.Add(candidates.Count);
        }

        return new RpqBatch
        {
            Anchors = Rows(anchors, dim, seed),
            Vertices = Rows(vertices, dim, seed + 1),
            Triplets = [.. Enumerable.Range(0, triplets).Select(_ =>
                new RpqTriplet(random.Next(anchors), random.Next(vertices), random.Next(vertices)))],
            Records = new RpqRecords
            {
                Anchors = [.. Enumerable.Range(0, records).Select(_ => random.Next(anchors))],
                Starts = [.. starts],
                Candidates = [.. candidates],
                Acceptable = [.. acceptable],
                Weights = [.. Enumerable.Range(0, records).Select(i => 1f / (1 + i % 6))],
            },
            Codes = codes,
            Step = 5,
        };
    }

    /// <summary>One record of the first anchor over the given vertices, the first of which are acceptable.</summary>
    public static RpqRecords Record(int[] candidates, int acceptable) => new()
    {
        Anchors = [0],
        Starts = [0, candidates.Length],
        Candidates = candidates,
        Acceptable = [.. candidates.Select((_, i) => i < acceptable)],
        Weights = [0.5f],
    };
}
