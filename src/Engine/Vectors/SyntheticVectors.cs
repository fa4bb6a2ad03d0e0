using System.Numerics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>
/// Made-up vectors that behave like learned embeddings: clusters of uneven size and density that overlap, each a flat cloud in a
/// random subspace of low rank, and a little noise in every direction. A seed gives the same vectors for any number of threads,
/// and row i does not depend on how many rows are asked for.
/// </summary>
/// <remarks>
/// Vector = centre + sum over j of z[j] * direction[j] + noise, all (nearly) Gaussian. Centres lie in one subspace of rank 24 with
/// a decaying spectrum; a cluster has its own rank of 16 to 24. Sizes follow a power law. Neither trivial (clusters overlap, so a
/// search must cross them) nor hopeless (random noise has no neighbourhoods): at 128 dimensions the local intrinsic dimension
/// (maximum likelihood over the 100 nearest; Levina, Bickel 2004) is about 20 among 10,000 vectors and 14 among 100,000, and the
/// mean distance is 2.2 and 2.5 times that of the nearest; text and image descriptors have 14 to 21 and 1.9 to 2.7.
/// </remarks>
public sealed unsafe class SyntheticVectors
{
    private const int Clusters = 400;
    private const int CentreRank = 24;
    private const int LowestRank = 16;
    private const int HighestRank = 24;
    private const double CentreDecay = 0.5; // spread of a centre along direction j: (j + 1)^-CentreDecay
    private const double LocalDecay = 0.3;
    private const double CentreSpread = 1.0;
    private const double LocalSpread = 0.9;
    private const double DensitySpread = 0.25; // of the logarithm of a cluster's size in space
    private const double Noise = 0.03;
    private const double SizePower = 0.6; // the c-th cluster has a share of (c + 1)^-SizePower

    /// <summary>What streams of random numbers are for; the purpose is the upper half of a stream's number.</summary>
    private enum Purpose : ulong
    {
        Centres = 1,
        Cluster = 2,
        Base = 3,
        Query = 4,
    }

    private readonly ulong _seed;
    private readonly Cluster[] _clusters = new Cluster[Clusters];
    private readonly double[] _cumulativeShare = new double[Clusters];

    /// <summary>Draws the clusters.</summary>
    /// <param name="dim">Components of a vector, at least 1; below about 24 the data is as hard as its dimension allows.</param>
    /// <param name="seed">Equal seeds give equal vectors.</param>
    public SyntheticVectors(int dim, ulong seed)
    {
        Check.That(dim is > 0 and <= VectorLayout.MaxDim);
        Dim = dim;
        _seed = seed;
        Seeded random = Stream(Purpose.Centres, 0);
        float[][] centreDirections = Directions(ref random, CentreRank, CentreSpread, CentreDecay);
        double share = 0;
        for (int c = 0; c < Clusters; c++)
        {
            Seeded own = Stream(Purpose.Cluster, c);
            float[] centre = new float[dim];
            AddCombination(ref own, centreDirections, centre);
            int rank = LowestRank + own.Next(HighestRank - LowestRank + 1);
            double spread = LocalSpread * Math.Exp(DensitySpread * own.NextGaussian());
            _clusters[c] = new Cluster(centre, Directions(ref own, rank, spread, LocalDecay));
            share += Math.Pow(c + 1, -SizePower);
            _cumulativeShare[c] = share;
        }
    }

    /// <summary>Components of a vector.</summary>
    public int Dim { get; }

    /// <summary>The first <paramref name="count"/> base vectors, float32 [count, dim].</summary>
    public VectorBlock Base(long count, Work work) => Draw(Purpose.Base, count, work);

    /// <summary>The first <paramref name="count"/> queries: the same distribution, other vectors; float32 [count, dim].</summary>
    public VectorBlock Queries(long count, Work work) => Draw(Purpose.Query, count, work);

    private VectorBlock Draw(Purpose purpose, long count, Work work)
    {
        VectorBlock block = VectorBlock.Allocate(count, Dim, ElementType.Float32);
        work.For("make vectors", count, chunk: 1024, (from, to, _) =>
        {
            for (long row = from; row < to; row++)
            {
                Seeded random = Stream(purpose, row);
                Fill(ref random, new Span<float>(block.Row(row), Dim));
            }
        });
        return block;
    }

    private void Fill(ref Seeded random, Span<float> row)
    {
        int c = Array.BinarySearch(_cumulativeShare, random.NextDouble() * _cumulativeShare[^1]);
        Cluster cluster = _clusters[c >= 0 ? c : ~c];
        cluster.Centre.CopyTo(row);
        AddCombination(ref random, cluster.Directions, row);
        AddNoise(ref random, row);
    }

    /// <summary>Random directions [rank, dim] of expected length spread * (j + 1)^-decay.</summary>
    private float[][] Directions(ref Seeded random, int rank, double spread, double decay)
    {
        float[][] directions = new float[rank][];
        for (int j = 0; j < rank; j++)
        {
            double scale = spread * Math.Pow(j + 1, -decay) / Math.Sqrt(Dim);
            float[] direction = directions[j] = new float[Dim];
            for (int i = 0; i < direction.Length; i++)
            {
                direction[i] = (float)(scale * random.NextGaussian());
            }
        }

        return directions;
    }

    /// <summary>
    /// Adds the directions, each times its own standard normal number. Element by element and without fused operations, so that
    /// the width of the registers does not change the result.
    /// </summary>
    private static void AddCombination(ref Seeded random, float[][] directions, Span<float> target)
    {
        foreach (float[] direction in directions)
        {
            float weight = (float)random.NextGaussian();
            int i = 0;
            for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> sum = new Vector<float>(target[i..]) + (new Vector<float>(weight) * new Vector<float>(direction, i));
                sum.CopyTo(target[i..]);
            }

            for (; i < target.Length; i++)
            {
                target[i] += weight * direction[i];
            }
        }
    }

    /// <summary>Noise of expected length <see cref="Noise"/>: a component is a sum of four uniform numbers, nearly normal.</summary>
    private static void AddNoise(ref Seeded random, Span<float> target)
    {
        const double variance = 4.0 / 12.0 * 65536.0 * 65536.0;
        const int mean = 2 * 65535;
        float scale = (float)(Noise / Math.Sqrt(variance * target.Length));
        for (int i = 0; i < target.Length; i++)
        {
            ulong bits = random.NextUInt64();
            int sum = (int)((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48));
            target[i] += scale * (sum - mean);
        }
    }

    private Seeded Stream(Purpose purpose, long number) => new(_seed, ((ulong)purpose << 56) | (ulong)number);

    /// <summary>Where a cluster lies, and the directions [rank, dim] in which it extends, scaled by its spread in them.</summary>
    private sealed record Cluster(float[] Centre, float[][] Directions);
}
