using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>Training and held-out queries of a collection, disjoint, one <see cref="QuerySet"/> of each for every shard.</summary>
/// <remarks>
/// A query is walked on one shard, and a shard gets queries in proportion to its vectors: so are its records among all records, as
/// they should be, and ten walks of ten queries teach more than ten of one. Vectors are put to shards by a hash of their id, so a
/// shard's own vectors are like those of any other; each shard therefore draws its queries from itself, and no vector travels.
/// </remarks>
public sealed class QueryChoice : IDisposable
{
    private QueryChoice(IReadOnlyList<QuerySet> training, IReadOnlyList<QuerySet> heldOut)
    {
        Training = training;
        HeldOut = heldOut;
    }

    /// <summary>Training queries by shard.</summary>
    public IReadOnlyList<QuerySet> Training { get; }

    /// <summary>Held-out queries by shard.</summary>
    public IReadOnlyList<QuerySet> HeldOut { get; }

    /// <summary>Draws both from the vectors of <paramref name="shards"/>, as many as there are where these are fewer.</summary>
    public static QueryChoice OfCollection(IReadOnlyList<SegmentView> shards, SamplingOptions options)
    {
        long[] sizes = [.. shards.Select(shard => shard.Vectors.Count)];
        int[] training = Shares(sizes, options.Queries), heldOut = Shares(sizes, options.HeldOut);
        (QuerySet Training, QuerySet HeldOut)[] sets =
            [.. shards.Select((shard, i) => OfShard(shard.Vectors, training[i], heldOut[i], options.Seed, i))];
        return new QueryChoice([.. sets.Select(set => set.Training)], [.. sets.Select(set => set.HeldOut)]);
    }

    /// <summary>What <see cref="OfCollection"/> draws from shard number <paramref name="shard"/>, given its <see cref="Shares"/>.</summary>
    /// <param name="vectors">Of the shard; where they are too few for both, both get less in proportion.</param>
    /// <param name="training">Training queries wanted.</param>
    /// <param name="heldOut">Held-out queries wanted.</param>
    /// <param name="seed">Of the sampling.</param>
    /// <param name="shard">Shards draw different rows.</param>
    public static (QuerySet Training, QuerySet HeldOut) OfShard(VectorBlock vectors, int training, int heldOut, ulong seed, int shard)
    {
        (long[] trained, long[] held) = Split(vectors.Count, training, heldOut, Seeded.Mix(seed) + (ulong)shard);
        return (Of(vectors, trained), Of(vectors, held));

        static QuerySet Of(VectorBlock vectors, long[] rows) => new(vectors.Gather(rows), [.. rows.Select(row => (uint)row)]);
    }

    /// <summary>Draws both from <paramref name="queries"/>, which are not vectors of the collection.</summary>
    /// <param name="queries">In the element type of the collection. Refused: too few, NaN or infinity, no direction under cosine.</param>
    /// <param name="metric">Of the collection.</param>
    /// <param name="sizes">Vectors of each shard.</param>
    /// <param name="options">Valid; fewer queries than these ask for are shared in proportion.</param>
    public static Outcome<QueryChoice> OfBlock(VectorBlock queries, Metric metric, IReadOnlyList<long> sizes, SamplingOptions options)
    {
        if (Fault(queries, metric, options) is { } problem)
        {
            return problem;
        }

        (long[] training, long[] heldOut) = Split(queries.Count, options.Queries, options.HeldOut, Seeded.Mix(options.Seed));
        return new QueryChoice(Deal(queries, training, sizes), Deal(queries, heldOut, sizes));
    }

    /// <summary><paramref name="total"/> shared in proportion to <paramref name="sizes"/>; what is left over goes to the largest remainders.</summary>
    public static int[] Shares(IReadOnlyList<long> sizes, int total)
    {
        long sum = sizes.Sum();
        if (sum == 0)
        {
            return new int[sizes.Count];
        }

        int[] shares = [.. sizes.Select(size => (int)((Int128)total * size / sum))];
        int left = total - shares.Sum();
        foreach (int shard in Enumerable.Range(0, sizes.Count).OrderByDescending(i => (long)((Int128)total * sizes[i] % sum)).Take(left))
        {
            shares[shard]++;
        }

        return shares;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (QuerySet set in Training.Concat(HeldOut))
        {
            set.Dispose();
        }
    }

    /// <summary>Different rows of <paramref name="count"/> in random order, for training and held out.</summary>
    private static (long[] Training, long[] HeldOut) Split(long count, int training, int heldOut, ulong seed)
    {
        int wanted = training + heldOut;
        long[] rows = FloatRows.Choose(count, wanted, Seeded.Mix(seed ^ RandomStreams.Queries));
        if (rows.Length < wanted)
        {
            training = (int)((long)rows.Length * training / wanted);
        }

        var random = new Seeded(seed, RandomStreams.Queries);
        for (int i = rows.Length - 1; i > 0; i--)
        {
            int other = random.Next(i + 1);
            (rows[i], rows[other]) = (rows[other], rows[i]);
        }

        return (rows[..training], rows[training..]);
    }

    private static QuerySet[] Deal(VectorBlock queries, long[] rows, IReadOnlyList<long> sizes)
    {
        int[] shares = Shares(sizes, rows.Length);
        var sets = new QuerySet[shares.Length];
        for (int shard = 0, from = 0; shard < sets.Length; from += shares[shard], shard++)
        {
            var own = new uint[shares[shard]];
            Array.Fill(own, QuerySet.Outside);
            sets[shard] = new QuerySet(queries.Gather(rows.AsSpan(from, shares[shard])), own);
        }

        return sets;
    }

    private static Problem? Fault(VectorBlock queries, Metric metric, SamplingOptions options)
    {
        if (queries.Count < (options.HeldOut > 0 ? 2 : 1))
        {
            return new Problem(
                ProblemCode.InvalidArgument, "training queries", $"{queries.Count}", "at least one to train on and one to hold out", "Give more.");
        }

        for (long i = 0; i < queries.Count; i++)
        {
            int bad = Elements.IndexOfNonFinite(queries.RowSpan(i), queries.Type);
            if (bad >= 0)
            {
                return new Problem(
                    ProblemCode.InvalidComponent, $"training query {i}, component {bad}", "NaN or infinity", "a finite number", "Clean the queries.");
            }

            if (metric == Metric.Cosine && Direction.Fault($"training query {i}", queries.Type, queries.RowSpan(i)) is { } none)
            {
                return none;
            }
        }

        return null;
    }
}
