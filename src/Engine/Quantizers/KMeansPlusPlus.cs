using Signpost.Engine.Base;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// k-means++ (Arthur, Vassilvitskii 2007): each seed is a point drawn with a probability in proportion to its squared distance to the
/// nearest seed before it. Drawn from a sample of 64 points per seed, because it costs as much as a round of Lloyd on the same points.
/// </summary>
internal static unsafe class KMeansPlusPlus
{
    private const int PointsPerSeed = 64;
    private const int ChunkFloats = 1 << 17;

    /// <summary>Seeds, shape [k, dim]. Once every point is at a seed the rest are points drawn evenly.</summary>
    public static float[] Seeds(FloatRows rows, int k, ref Seeded random, Work work)
    {
        int most = (int)Math.Min(int.MaxValue, (long)k * PointsPerSeed);
        long[] sample = FloatRows.Choose(rows.Count, most, random.NextUInt64());
        int dim = rows.Dim;
        int padded = (sample.Length + CodewordKernels.PanelWidth - 1) / CodewordKernels.PanelWidth * CodewordKernels.PanelWidth;
        using var panels = new AlignedBuffer((long)padded * dim * sizeof(float));
        Pack(rows, sample, (float*)panels.Pointer);
        int chunk = Math.Max(1, ChunkFloats / dim / CodewordKernels.PanelWidth) * CodewordKernels.PanelWidth;
        using var distances = new DistancesToSeeds(panels, sample.Length, padded, dim, chunk);
        var seeds = new float[(long)k * dim];
        int next = random.Next(sample.Length);
        for (int i = 0; i < k; i++)
        {
            var seed = new ReadOnlySpan<float>(rows.Row((int)sample[next]), dim);
            seed.CopyTo(seeds.AsSpan(i * dim, dim));
            if (i < k - 1)
            {
                distances.Add(rows.Row((int)sample[next]), work);
                next = distances.Draw(ref random);
            }
        }

        return seeds;
    }

    private static void Pack(FloatRows rows, long[] sample, float* panels)
    {
        const int Width = CodewordKernels.PanelWidth;
        for (int i = 0; i < sample.Length; i++)
        {
            float* row = rows.Row((int)sample[i]);
            float* lane = panels + (long)(i / Width) * Width * rows.Dim + i % Width;
            for (int d = 0; d < rows.Dim; d++)
            {
                lane[(long)d * Width] = row[d];
            }
        }
    }

    /// <summary>Squared distance of every point of the sample to its nearest seed, and its sum by chunks of fixed size.</summary>
    private sealed class DistancesToSeeds : IDisposable
    {
        private readonly AlignedBuffer _panels;
        private readonly AlignedBuffer _latest;
        private readonly float[] _least;
        private readonly double[] _chunkSums;
        private readonly int _dim;
        private readonly int _chunk;

        public DistancesToSeeds(AlignedBuffer panels, int count, int padded, int dim, int chunk)
        {
            _panels = panels;
            _latest = new AlignedBuffer((long)padded * sizeof(float));
            _least = new float[count];
            _least.AsSpan().Fill(float.PositiveInfinity);
            _chunkSums = new double[(count + chunk - 1) / chunk];
            _dim = dim;
            _chunk = chunk;
        }

        public void Add(float* seed, Work work) => work.For("k-means++", _least.Length, _chunk, (from, to, _) =>
        {
            float* latest = (float*)_latest.Pointer + from;
            CodewordKernels.Values<SquaredL2>(seed, (float*)_panels.Pointer + from * _dim, (int)(to - from), _dim, 0f, latest);
            double sum = 0;
            for (int i = 0; i < to - from; i++)
            {
                float least = Math.Min(_least[from + i], latest[i]);
                _least[from + i] = least;
                sum += least;
            }

            _chunkSums[from / _chunk] = sum;
        });

        public int Draw(ref Seeded random)
        {
            double target = random.NextDouble() * _chunkSums.Sum();
            if (!(target > 0))
            {
                return random.Next(_least.Length);
            }

            int chunk = 0;
            while (chunk < _chunkSums.Length - 1 && target >= _chunkSums[chunk])
            {
                target -= _chunkSums[chunk++];
            }

            int last = -1; // rounding can carry the target past the end of its chunk: the last possible point is then drawn
            for (int i = chunk * _chunk; i < Math.Min(_least.Length, (chunk + 1) * _chunk); i++)
            {
                last = _least[i] > 0 ? i : last;
                target -= _least[i];
                if (target < 0 && last >= 0)
                {
                    break;
                }
            }

            return last >= 0 ? last : random.Next(_least.Length);
        }

        public void Dispose() => _latest.Dispose();
    }
}
