using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Build;

/// <summary>
/// The space in which a graph is built. For l2 and cosine the vectors' own. For inner product the vectors are lifted by one
/// component sqrt(max |x|^2 - |x|^2), which makes all lengths equal: the nearest by angle in the lifted space is the one with the
/// largest inner product to a query (whose lifted component is 0), and the pruning rule has a geometry to work in (Bachrach et
/// al., "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Spaces", 2014, section 3).
/// </summary>
internal sealed unsafe class BuildSpace
{
    private readonly float[]? _lift;

    /// <summary>The space of <paramref name="vectors"/>.</summary>
    public BuildSpace(VectorBlock vectors, Metric metric, Work work)
    {
        Check.That(vectors.Count < 1L << 31);
        Vectors = vectors;
        Metric = metric;
        Count = (int)vectors.Count;
        if (metric == Metric.InnerProduct)
        {
            _lift = Lift(work);
        }
    }

    /// <summary>The vectors; row i is vertex i.</summary>
    public VectorBlock Vectors { get; }

    /// <summary>Their metric.</summary>
    public Metric Metric { get; }

    /// <summary>Number of vertices, below 2^31.</summary>
    public int Count { get; }

    /// <summary>True where vectors have a lifted component.</summary>
    public bool IsLifted => _lift is not null;

    /// <summary>The lifted component of a vertex; 0 where nothing is lifted.</summary>
    public float LiftOf(int vertex) => _lift is null ? 0 : _lift[vertex];

    /// <summary>Copies the rows of <paramref name="ids"/> to <paramref name="target"/>, replacing what it held.</summary>
    public void Gather(ReadOnlySpan<int> ids, RowBatch target)
    {
        const int ahead = 8;
        target.Reset(ids.Length, Vectors.RowBytes, _lift is not null);
        for (int i = 0; i < ids.Length; i++)
        {
            if (i + ahead < ids.Length)
            {
                byte* next = Vectors.Row(ids[i + ahead]);
                for (int line = 0; line < Vectors.RowBytes; line += 64)
                {
                    Memory.Prefetch(next + line);
                }
            }

            Buffer.MemoryCopy(Vectors.Row(ids[i]), target.Row(i), Vectors.RowBytes, Vectors.RowBytes);
            if (_lift is not null)
            {
                target.Lift[i] = _lift[ids[i]];
            }
        }
    }

    /// <summary>Distances between rows [from, from + count) of <paramref name="x"/> and all of <paramref name="y"/>. Shape: [count, stride].</summary>
    public void Distances(RowBatch x, int from, int count, RowBatch y, float* distances, int stride)
    {
        Pairwise.Distances(Metric, Vectors.Type, x.Row(from), x.Stride, count, y.Row(0), y.Stride, y.Count, Vectors.Dim, distances, stride);
        if (_lift is null)
        {
            return;
        }

        for (int i = 0; i < count; i++)
        {
            float lift = x.Lift[from + i];
            for (int j = 0; j < y.Count; j++)
            {
                distances[(long)i * stride + j] -= lift * y.Lift[j];
            }
        }
    }

    private float[] Lift(Work work)
    {
        var lengths = new float[Count];
        work.For("vector lengths", Count, 4096, (from, to, _) =>
        {
            for (int v = (int)from; v < to; v++)
            {
                lengths[v] = -PairDistances.Between(Metric.InnerProduct, Vectors.Type, Vectors.Row(v), Vectors.Row(v), Vectors.Dim);
            }
        });
        float longest = lengths.Length == 0 ? 0 : lengths.Max();
        for (int v = 0; v < lengths.Length; v++)
        {
            lengths[v] = MathF.Sqrt(longest - lengths[v]);
        }

        return lengths;
    }
}

/// <summary>Rows copied together, so that many distances between them are one matrix product in cache. One thread's scratch.</summary>
internal sealed unsafe class RowBatch : IDisposable
{
    private AlignedBuffer _rows = new(0);

    /// <summary>Rows held.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes from row to row, a multiple of 64.</summary>
    public int Stride { get; private set; }

    /// <summary>Lifted components by row; empty where nothing is lifted.</summary>
    public float[] Lift { get; private set; } = [];

    /// <summary>First byte of a row.</summary>
    public byte* Row(int index) => _rows.Pointer + (long)index * Stride;

    /// <summary>Makes room for <paramref name="count"/> rows.</summary>
    public void Reset(int count, int rowBytes, bool lifted)
    {
        Count = count;
        Stride = (rowBytes + 63) / 64 * 64;
        if (_rows.Length < (long)count * Stride)
        {
            _rows.Dispose();
            _rows = new AlignedBuffer((long)count * Stride * 5 / 4);
        }

        if (lifted && Lift.Length < count)
        {
            Lift = new float[count * 5 / 4];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();
}
