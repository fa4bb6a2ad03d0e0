using Signpost.Engine.Kernels;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

/// <summary>The recording of a walk written down as it is defined: a list that is sorted again after every insertion.</summary>
internal static unsafe class DullRecorder
{
    public static (int Hop, uint[] Candidates)[] Record(SegmentView view, QuerySet queries, int index, SearchMode mode, SamplingOptions options)
    {
        uint own = queries.Own[index];
        float Distance(uint id) => mode == SearchMode.Exact
            ? PairDistances.Between(view.Metric, view.Vectors.Type, queries.Vectors.Row(index), view.Vectors.Row(id), view.Vectors.Dim)
            : CodeDistance(view, TestVectors.Row(queries.Vectors, index), id);

        var records = new List<(int, uint[])>();
        var pool = new List<(float Distance, uint Id)> { (Distance(view.Graph.Entry), view.Graph.Entry) };
        var seen = new HashSet<uint> { view.Graph.Entry };
        var visited = new HashSet<uint>();
        var row = new uint[view.Graph.R];
        for (int hop = 0; pool.FindIndex(entry => !visited.Contains(entry.Id)) is var rank and >= 0; hop++)
        {
            uint vertex = pool[rank].Id;
            visited.Add(vertex);
            List<uint> candidates = options.Candidates == CandidateSet.Visited
                ? [.. pool.Take(options.Top).Select(entry => entry.Id)]
                : [.. pool.Select(entry => entry.Id).Where(id => !visited.Contains(id)).Take(options.Top)];
            int accepted = 0;
            foreach (uint neighbour in row[..view.Graph.Neighbours(vertex, row)].Where(id => id != own && seen.Add(id)).ToArray())
            {
                pool.Add((Distance(neighbour), neighbour));
                pool.Sort();
                if (pool.Count <= options.L || pool[^1].Id != neighbour)
                {
                    candidates.AddRange(accepted++ < options.New ? [neighbour] : []);
                }

                pool = [.. pool.Take(options.L)];
            }

            uint[] others = [.. candidates.Where(id => id != own)];
            if (rank < options.Top && others.Length >= 2)
            {
                records.Add((hop, others));
            }
        }

        return [.. records];
    }

    private static float CodeDistance(SegmentView view, float[] query, uint id)
    {
        var table = new float[view.Quantizer!.M * view.Quantizer.K];
        view.Quantizer.BuildTable(query, table);
        fixed (float* entries = table)
        {
            return Adc256.Distance(view.Codes + id * view.Quantizer.CodeBytes, entries, view.Quantizer.M);
        }
    }
}
