using Signpost.Engine.Base;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// Lloyd's iteration on points in memory: assign each point to its nearest centroid, move each centroid to the mean of its points.
/// </summary>
/// <remarks>
/// The same result on any number of threads: a point's assignment depends on nothing else, and a mean is summed in double by one
/// thread over its points in ascending order.
///
/// Empty clusters: each takes the point that is farthest from its centroid, out of a cluster of two or more. This lowers the
/// objective by that point's distance, so the objective never rises; splitting the largest cluster would not promise that. Where
/// every point lies on its centroid (fewer distinct points than centroids) the empty ones stay where they are.
/// </remarks>
internal sealed unsafe class Lloyd : IDisposable
{
    private const int ChunkFloats = 1 << 16;
    private const int MeanChunk = 16;

    private readonly FloatRows _rows;
    private readonly AlignedBuffer _panels;
    private readonly float[] _distances;
    private readonly int _k;

    /// <summary>Starts from <paramref name="centroids"/>, shape [k, dim], which are moved in place.</summary>
    public Lloyd(FloatRows rows, float[] centroids, int k)
    {
        Check.That(centroids.Length == (long)k * rows.Dim && rows.Count > 0);
        _rows = rows;
        _k = k;
        Centroids = centroids;
        Labels = new int[rows.Count];
        _distances = new float[rows.Count];
        _panels = new AlignedBuffer(CodewordKernels.PanelFloats(k, rows.Dim) * sizeof(float));
    }

    /// <summary>Shape: [k, dim].</summary>
    public float[] Centroids { get; }

    /// <summary>Cluster of each point. Shape: [count].</summary>
    public int[] Labels { get; }

    /// <summary>Runs until a round gains less than <paramref name="tolerance"/> or <paramref name="iterations"/> are done.</summary>
    /// <returns>The objective before each round and at the end; labels and objective are those of the final centroids.</returns>
    public List<double> Run(int iterations, double tolerance, Work work, Action<int>? roundDone = null)
    {
        List<double> objective = [Assign(work)];
        for (int i = 0; i < iterations; i++)
        {
            MoveToMeans(work);
            objective.Add(Assign(work));
            roundDone?.Invoke(i + 1);
            if (objective[^2] - objective[^1] <= tolerance * objective[^2])
            {
                break;
            }
        }

        return objective;
    }

    /// <summary>Assigns every point; returns the sum of squared distances.</summary>
    public double Assign(Work work)
    {
        int dim = _rows.Dim;
        CodewordKernels.Pack(Centroids, _k, dim, (float*)_panels.Pointer);
        work.For("assign", _rows.Count, Math.Max(64, ChunkFloats / dim), (from, to, _) =>
        {
            fixed (int* labels = Labels)
            fixed (float* distances = _distances)
            {
                CodewordKernels.Nearest(
                    _rows.Row((int)from), dim, (int)(to - from), (float*)_panels.Pointer, _k, dim, labels + from, distances + from);
            }
        });
        double sum = 0;
        foreach (float distance in _distances)
        {
            sum += distance;
        }

        return sum;
    }

    /// <summary>Moves every centroid to the mean of its points, after filling empty clusters.</summary>
    public void MoveToMeans(Work work)
    {
        var sizes = new int[_k];
        foreach (int label in Labels)
        {
            sizes[label]++;
        }

        FillEmpty(sizes);
        int[] members = GroupByLabel(sizes, out int[] starts);
        work.For("means", _k, MeanChunk, (from, to, _) =>
        {
            Span<double> sum = new double[_rows.Dim];
            for (int k = (int)from; k < to; k++)
            {
                if (sizes[k] > 0)
                {
                    Mean(members.AsSpan(starts[k], sizes[k]), sum, Centroids.AsSpan(k * _rows.Dim, _rows.Dim));
                }
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _panels.Dispose();

    private void FillEmpty(int[] sizes)
    {
        int empty = Array.IndexOf(sizes, 0);
        if (empty < 0)
        {
            return;
        }

        int[] farthestFirst = [.. Enumerable.Range(0, Labels.Length).OrderByDescending(i => _distances[i])]; // stable: ties by lower index
        foreach (int point in farthestFirst)
        {
            if (empty < 0 || !(_distances[point] > 0))
            {
                return;
            }

            if (sizes[Labels[point]] >= 2)
            {
                sizes[Labels[point]]--;
                sizes[empty]++;
                Labels[point] = empty;
                empty = Array.IndexOf(sizes, 0, empty);
            }
        }
    }

    // Points in ascending order within each cluster (counting sort).
    private int[] GroupByLabel(int[] sizes, out int[] starts)
    {
        starts = new int[_k];
        for (int k = 1; k < _k; k++)
        {
            starts[k] = starts[k - 1] + sizes[k - 1];
        }

        var next = (int[])starts.Clone();
        var members = new int[Labels.Length];
        for (int i = 0; i < Labels.Length; i++)
        {
            members[next[Labels[i]]++] = i;
        }

        return members;
    }

    private void Mean(ReadOnlySpan<int> members, Span<double> sum, Span<float> mean)
    {
        sum.Clear();
        foreach (int member in members)
        {
            float* row = _rows.Row(member);
            for (int d = 0; d < sum.Length; d++)
            {
                sum[d] += row[d];
            }
        }

        for (int d = 0; d < sum.Length; d++)
        {
            mean[d] = (float)(sum[d] / members.Length);
        }
    }
}
