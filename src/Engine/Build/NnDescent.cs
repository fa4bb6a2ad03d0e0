using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Build;

/// <summary>
/// Improves a k-NN graph by the principle that a neighbour of a neighbour is likely a neighbour (Dong, Moses, Li, "Efficient
/// K-Nearest Neighbor Graph Construction for Generic Similarity Measures", WWW 2011, with KGraph's sampling of new and old
/// entries and its bounded reverse lists).
/// </summary>
/// <remarks>
/// Departures: the lists of a round are fixed before its joins begin and rows keep the best of all offers whatever their order,
/// so the result is the same on any number of threads; reverse lists keep the nearest instead of a random sample; a join computes
/// all its distances as one matrix product of gathered rows.
/// </remarks>
internal sealed unsafe class NnDescent(BuildSpace space, KnnGraph graph, int sample, Work work)
{
    private const int JoinsPerChunk = 256;
    private const uint OldBit = 1;
    private const uint End = uint.MaxValue;

    /// <summary>One round.</summary>
    public void Run(int round)
    {
        int width = Width(graph.K, sample, round);
        using var reverse = new KnnGraph(space.Count, sample);
        using var forward = new AlignedBuffer((long)space.Count * width * sizeof(uint));
        uint* lists = (uint*)forward.Pointer;
        work.For($"nn-descent round {round + 1}, lists", space.Count, JoinsPerChunk, (from, to, _) =>
        {
            for (int v = (int)from; v < to; v++)
            {
                Sample(v, lists + (long)v * width, width, reverse);
            }
        });

        using var scratch = new PerWorker<JoinScratch>(work.Threads, () => new JoinScratch(width + sample));
        work.For($"nn-descent round {round + 1}, joins", space.Count, JoinsPerChunk, (from, to, worker) =>
        {
            for (int v = (int)from; v < to; v++)
            {
                JoinScratch join = scratch[worker];
                join.Collect(lists + (long)v * width, width, reverse.Row(v), sample);
                Join(join);
            }
        });
    }

    /// <summary>Places of a vertex's list. In the first round every entry is new, so that no old ones come on top of the sample.</summary>
    private static int Width(int k, int sample, int round) => Math.Min(k, round == 0 ? sample : 2 * sample);

    /// <summary>
    /// The nearest entries of a row up to and including <c>sample</c> new ones, which are old from now on. Each is told of
    /// <paramref name="v"/> unless it has it in its own row.
    /// </summary>
    private void Sample(int v, uint* list, int width, KnnGraph reverse)
    {
        ulong* row = graph.Row(v);
        int length = 0;
        for (int i = 0, found = 0; i < graph.K && length < width && found < sample && row[i] != KnnGraph.Empty; i++)
        {
            ulong key = row[i];
            uint entry = (uint)key;
            list[length++] = entry;
            found += KnnGraph.IsNew(key) ? 1 : 0;
            int u = (int)(entry >> 1);
            ulong back = (key & ~0xFFFF_FFFFul) | ((uint)v << 1) | (entry & OldBit);
            if (KnnGraph.AsNew(back) > KnnGraph.AsNew(graph.Bound(u)))
            {
                reverse.Offer(u, back);
            }

            row[i] = KnnGraph.AsOld(key);
        }

        if (length < width)
        {
            list[length] = End;
        }
    }

    private void Join(JoinScratch join)
    {
        int count = join.Count;
        space.Gather(join.Ids.AsSpan(0, count), join.Rows);
        space.Distances(join.Rows, 0, count, join.Rows, join.Distances, count);
        for (int i = 0; i < count; i++)
        {
            int vertex = join.Ids[i];
            ulong bound = graph.Bound(vertex);
            float* row = join.Distances + (long)i * count;
            for (int j = 0; j < count; j++)
            {
                ulong key = CandidateList.KeyOf(row[j], (uint)join.Ids[j]);
                if (key < bound && (join.IsNew[i] | join.IsNew[j]) && i != j && graph.Offer(vertex, key))
                {
                    bound = graph.Bound(vertex);
                }
            }
        }
    }

    private sealed class JoinScratch(int width) : IDisposable
    {
        private readonly AlignedBuffer _distances = new((long)width * width * sizeof(float));

        public RowBatch Rows { get; } = new();

        public int[] Ids { get; } = new int[width];

        public bool[] IsNew { get; } = new bool[width];

        public int Count { get; private set; }

        public float* Distances => (float*)_distances.Pointer;

        public void Collect(uint* forward, int width, ulong* reverse, int sample)
        {
            Count = 0;
            for (int i = 0; i < width && forward[i] != End; i++)
            {
                Add(forward[i]);
            }

            for (int i = 0; i < sample && reverse[i] != KnnGraph.Empty; i++)
            {
                Add((uint)reverse[i]);
            }
        }

        public void Dispose()
        {
            Rows.Dispose();
            _distances.Dispose();
        }

        private void Add(uint entry)
        {
            IsNew[Count] = (entry & OldBit) == 0;
            Ids[Count++] = (int)(entry >> 1);
        }
    }
}
