using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>How often the nearest candidate of a routing decision by code is the truly nearest.</summary>
/// <param name="Records">Number of decisions.</param>
/// <param name="Agreement">Share of them in which it is; one of several that are exactly as near counts. 0 where there is none.</param>
/// <param name="MeanRank">Mean place of the truly nearest in the order (distance, vertex) of the codes, 1 the first. 0 where there is none.</param>
public readonly record struct NextHopAgreement(int Records, double Agreement, double MeanRank)
{
    private const int ChunkRecords = 256;
    private const int ChunkVectors = 1024;

    /// <summary>Measures <paramref name="quantizer"/> on the decisions of <paramref name="samples"/>, encoding their vertices by itself.</summary>
    /// <param name="samples">Of any quantizer or none; the same for all quantizers that are compared.</param>
    /// <param name="quantizer">Any of the samples' dimension and metric.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public static NextHopAgreement Of(IReadOnlyList<RoutingSample> samples, IQuantizer quantizer, Work work) =>
        Judge([.. samples.Select(sample => (sample, CodeDistances(sample, quantizer, Encode(sample, quantizer, work), work)))]);

    /// <summary>
    /// Measures the codes that <paramref name="shards"/> have, which may have been refined to their graphs and are then not those that
    /// the quantizer alone would give.
    /// </summary>
    /// <param name="samples">One of each shard.</param>
    /// <param name="shards">With codes.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public static NextHopAgreement Of(IReadOnlyList<RoutingSample> samples, IReadOnlyList<SegmentView> shards, Work work)
    {
        Check.That(samples.Count == shards.Count);
        return Judge([.. samples.Zip(shards, (sample, shard) => (sample, CodeDistances(sample, shard.Quantizer!, CodesOf(sample, shard), work)))]);
    }

    /// <summary>Measures given distances, one for each candidate of each sample.</summary>
    internal static NextHopAgreement Judge(IReadOnlyList<(RoutingSample Sample, float[] Distances)> judged)
    {
        long records = 0, agreed = 0, ranks = 0;
        foreach ((RoutingSample sample, float[] distances) in judged)
        {
            for (int record = 0; record < sample.RecordCount; record++)
            {
                int rank = RankOfBest(sample, distances, sample.CandidateStarts[record], sample.CandidateStarts[record + 1]);
                records++;
                agreed += rank == 1 ? 1 : 0;
                ranks += rank;
            }
        }

        return records == 0 ? default : new NextHopAgreement((int)records, (double)agreed / records, (double)ranks / records);
    }

    private static int RankOfBest(RoutingSample sample, float[] distances, int from, int to)
    {
        int best = from; // of the truly nearest, the one that the distances rank first
        for (int i = from + 1; i < to; i++)
        {
            bool nearer = sample.Distances[i] < sample.Distances[best];
            bool asNear = sample.Distances[i] == sample.Distances[best];
            best = nearer || (asNear && Before(i, best)) ? i : best;
        }

        int rank = 1;
        for (int i = from; i < to; i++)
        {
            rank += Before(i, best) ? 1 : 0;
        }

        return rank;

        bool Before(int x, int y) => (distances[x], sample.Candidates[x]).CompareTo((distances[y], sample.Candidates[y])) < 0;
    }

    private static unsafe byte[] Encode(RoutingSample sample, IQuantizer quantizer, Work work)
    {
        Check.That(quantizer.Dim == sample.Dim);
        var codes = new byte[(long)sample.VertexCount * quantizer.CodeBytes];
        work.For("encode sampled vectors", sample.VertexCount, ChunkVectors, (from, to, _) =>
        {
            fixed (float* first = sample.Vectors)
            fixed (byte* target = codes)
            {
                var vectors = new VectorBlock((byte*)first, sample.VertexCount, sample.Dim, ElementType.Float32, 4L * sample.Dim, null);
                quantizer.Encode(vectors, from, (int)(to - from), target + from * quantizer.CodeBytes);
            }
        });
        return codes;
    }

    private static unsafe byte[] CodesOf(RoutingSample sample, in SegmentView shard)
    {
        Check.That(shard.Codes != null && (sample.VertexCount == 0 || sample.Vertices[^1] < shard.Vectors.Count));
        int bytes = shard.Quantizer!.CodeBytes;
        var codes = new byte[(long)sample.VertexCount * bytes];
        for (int i = 0; i < sample.VertexCount; i++)
        {
            new ReadOnlySpan<byte>(shard.Codes + (long)sample.Vertices[i] * bytes, bytes).CopyTo(codes.AsSpan(i * bytes));
        }

        return codes;
    }

    private static float[] CodeDistances(RoutingSample sample, IQuantizer quantizer, byte[] codes, Work work)
    {
        Check.That(quantizer.Dim == sample.Dim && quantizer.Metric == sample.Metric);
        var distances = new float[sample.CandidateCount];
        work.For("judge routing decisions", sample.RecordCount, ChunkRecords, (from, to, _) =>
        {
            var table = new float[quantizer.M * quantizer.K];
            int tableOf = -1;
            for (int record = (int)from; record < to; record++)
            {
                if (sample.RecordQueries[record] != tableOf)
                {
                    tableOf = sample.RecordQueries[record];
                    quantizer.BuildTable(sample.Queries.AsSpan(tableOf * sample.Dim, sample.Dim), table);
                }

                for (int i = sample.CandidateStarts[record]; i < sample.CandidateStarts[record + 1]; i++)
                {
                    distances[i] = Distance(quantizer, codes.AsSpan(sample.Candidates[i] * quantizer.CodeBytes), table);
                }
            }
        });
        return distances;
    }

    private static unsafe float Distance(IQuantizer quantizer, ReadOnlySpan<byte> code, float[] table)
    {
        fixed (byte* bytes = code)
        fixed (float* entries = table)
        {
            return quantizer.K == 16 ? Adc16.Distance(bytes, entries, quantizer.M) : Adc256.Distance(bytes, entries, quantizer.M);
        }
    }
}
