using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Build;

/// <summary>
/// First knowledge of the k-NN graph: the vectors are divided by nearest random leaders, again and again until a cell is small,
/// and in each cell all distances are computed, as one matrix product. A few such divisions, each with other leaders, find most
/// neighbours at a fraction of what single distances cost (the leaf step of HCNNG, Munoz et al. 2019, with leaders in place of
/// pairs of pivots).
/// </summary>
internal sealed unsafe class KnnPartition(BuildSpace space, KnnGraph graph, int cellSize, ulong seed, Work work)
{
    private const int AssignRows = 128;
    private const int MaxLeaders = 256;
    private const int RowsAtOnce = 32;

    /// <summary>One division: every pair of a cell is offered to the graph.</summary>
    public void Run(int division)
    {
        var order = new int[space.Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        List<Range> cells = Divide(order, division);
        using var scratch = new PerWorker<CellScratch>(work.Threads, () => new CellScratch());
        work.For($"neighbours in cells, division {division + 1}", cells.Count, 4, (from, to, worker) =>
        {
            for (int c = (int)from; c < to; c++)
            {
                (int start, int length) = cells[c].GetOffsetAndLength(order.Length);
                JoinCell(order.AsSpan(start, length), scratch[worker]);
            }
        });
    }

    private List<Range> Divide(int[] order, int division)
    {
        var cells = new List<Range>();
        var open = new Stack<(int From, int To)>();
        open.Push((0, order.Length));
        ulong stream = (ulong)division << 40;
        using var scratch = new PerWorker<CellScratch>(work.Threads, () => new CellScratch());
        var labels = new int[order.Length];
        while (open.TryPop(out (int From, int To) cell))
        {
            int size = cell.To - cell.From;
            if (size <= cellSize)
            {
                cells.Add(cell.From..cell.To);
                continue;
            }

            var random = new Seeded(seed, stream++);
            int leaders = (int)Math.Clamp(2L * size / cellSize, 2, MaxLeaders);
            int[] starts = Assign(order.AsSpan(cell.From, size).ToArray(), order, cell.From, leaders, labels, ref random, scratch);
            for (int i = 0; i < leaders; i++)
            {
                if (starts[i + 1] > starts[i])
                {
                    open.Push((cell.From + starts[i], cell.From + starts[i + 1]));
                }
            }
        }

        return cells;
    }

    /// <summary>Sorts <paramref name="members"/> by nearest leader into <paramref name="order"/>; returns where each leader's begin.</summary>
    private int[] Assign(int[] members, int[] order, int target, int leaders, int[] labels, ref Seeded random, PerWorker<CellScratch> scratch)
    {
        var leaderIds = new int[leaders];
        for (int i = 0; i < leaders; i++)
        {
            int pick = i + random.Next(members.Length - i);
            (members[i], members[pick]) = (members[pick], members[i]);
            leaderIds[i] = members[i];
        }

        using var leaderRows = new RowBatch();
        space.Gather(leaderIds, leaderRows);
        work.Silent().For("dividing", members.Length, AssignRows, (from, to, worker) =>
            scratch[worker].Nearest(space, members.AsSpan((int)from, (int)(to - from)), leaderRows, labels.AsSpan((int)from)));

        var starts = new int[leaders + 1];
        for (int i = 0; i < members.Length; i++)
        {
            starts[labels[i] + 1]++;
        }

        if (starts.Max() == members.Length)
        {
            return Halve(members, order, target, leaders); // all the same vector: any division is as good
        }

        for (int i = 0; i < leaders; i++)
        {
            starts[i + 1] += starts[i];
        }

        int[] next = starts.ToArray();
        for (int i = 0; i < members.Length; i++)
        {
            order[target + next[labels[i]]++] = members[i];
        }

        return starts;
    }

    private static int[] Halve(int[] members, int[] order, int target, int leaders)
    {
        members.CopyTo(order, target);
        var starts = new int[leaders + 1];
        Array.Fill(starts, members.Length);
        starts[0] = 0;
        starts[1] = members.Length / 2;
        return starts;
    }

    private void JoinCell(ReadOnlySpan<int> cell, CellScratch scratch)
    {
        space.Gather(cell, scratch.Rows);
        float* distances = scratch.Distances(RowsAtOnce * cell.Length);
        for (int from = 0; from < cell.Length; from += RowsAtOnce)
        {
            int rows = Math.Min(RowsAtOnce, cell.Length - from);
            space.Distances(scratch.Rows, from, rows, scratch.Rows, distances, cell.Length);
            for (int i = 0; i < rows; i++)
            {
                int vertex = cell[from + i];
                float* row = distances + (long)i * cell.Length;
                for (int j = 0; j < cell.Length; j++)
                {
                    ulong key = CandidateList.KeyOf(row[j], (uint)cell[j]);
                    if (key < graph.Bound(vertex) && cell[j] != vertex)
                    {
                        graph.Offer(vertex, key);
                    }
                }
            }
        }
    }

    private sealed class CellScratch : IDisposable
    {
        private AlignedBuffer _distances = new(0);

        public RowBatch Rows { get; } = new();

        public float* Distances(int count)
        {
            if (_distances.Length < 4L * count)
            {
                _distances.Dispose();
                _distances = new AlignedBuffer(4L * count);
            }

            return (float*)_distances.Pointer;
        }

        /// <summary>The nearest leader of each of <paramref name="members"/>, ties to the first.</summary>
        public void Nearest(BuildSpace space, ReadOnlySpan<int> members, RowBatch leaders, Span<int> labels)
        {
            space.Gather(members, Rows);
            float* distances = Distances(members.Length * leaders.Count);
            space.Distances(Rows, 0, members.Length, leaders, distances, leaders.Count);
            for (int i = 0; i < members.Length; i++)
            {
                var row = new ReadOnlySpan<float>(distances + (long)i * leaders.Count, leaders.Count);
                int nearest = 0;
                for (int j = 1; j < row.Length; j++)
                {
                    nearest = row[j] < row[nearest] ? j : nearest;
                }

                labels[i] = nearest;
            }
        }

        public void Dispose()
        {
            Rows.Dispose();
            _distances.Dispose();
        }
    }
}
