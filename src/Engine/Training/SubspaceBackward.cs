using Signpost.Engine.Kernels;

namespace Signpost.Engine.Training;

/// <summary>
/// The second pass over a subspace, once it is known how much every code distance matters: gradients of the pairs, of the vertices'
/// reconstruction, and of their assignments, each vertex once however many pairs it is in.
/// </summary>
internal static unsafe class SubspaceBackward
{
    // Of so many codewords one must be active for whole tables to be added up: vectors then do more than they waste.
    private const int WholeTable = 8;

    /// <summary>dL/d ln T of the vertices.</summary>
    public static double Run(in Subspace subspace, RpqPairs pairs, RpqBatch batch, RpqLoss loss, SubspaceScratch scratch)
    {
        bool reconstruct = loss.ReconstructionOf == ReconstructionOf.Vertices && loss.Reconstruction > 0;
        bool softmax = loss.StraightThrough && batch.Codes is null;
        float weight = reconstruct ? (float)(loss.Reconstruction / Math.Max(1, subspace.VertexCount)) : 0;
        double temperatureGradient = 0;
        for (int vertex = 0; vertex < subspace.VertexCount; vertex++)
        {
            bool matters = AddPairs(subspace, pairs, vertex);
            float* row = subspace.Row(subspace.AnchorCount + vertex);
            float* gradient = subspace.Gradient(subspace.AnchorCount + vertex);
            if (reconstruct)
            {
                subspace.AddDistanceGradient(weight, row, gradient, subspace.Codes[vertex]);
            }

            if (!softmax || !(matters || reconstruct))
            {
                continue;
            }

            float* distances = scratch.Costs;
            subspace.DistancesTo(row, distances);
            int active = SparseSoftmax.Select(
                distances, subspace.K, subspace.InverseTemperature, (float)loss.SparseThreshold, scratch.Active, scratch.Probabilities);
            if (active > 1)
            {
                Upstream(subspace, pairs, vertex, scratch, active);
                if (reconstruct)
                {
                    subspace.AddReconstructionUpstream(-2 * weight, row, subspace.Codes[vertex], scratch, active);
                }

                temperatureGradient += subspace.AddSoftmaxGradient(row, gradient, distances, scratch, active);
            }
        }

        return temperatureGradient;
    }

    /// <summary>Adds dL/dR of this subspace to its rows of G: the outer products of dL/dz and the rows before rotation.</summary>
    public static void AddRotation(in Subspace subspace, RpqBatch batch, float* rotationRows)
    {
        int dim = batch.Anchors.Dim;
        float* vertices = subspace.Gradient(subspace.AnchorCount);
        OuterProducts.Add(subspace.Gradients, subspace.Width, batch.Anchors.First, dim, subspace.AnchorCount, rotationRows);
        OuterProducts.Add(vertices, subspace.Width, batch.Vertices.First, dim, subspace.VertexCount, rotationRows);
    }

    // The pairs through the query and the codeword that the code names; false where no distance matters.
    private static bool AddPairs(in Subspace subspace, RpqPairs pairs, int vertex)
    {
        bool matters = false;
        for (int pair = pairs.Starts[vertex]; pair < pairs.Starts[vertex + 1]; pair++)
        {
            float alpha = pairs.Alphas[pair];
            if (alpha != 0)
            {
                int anchor = pairs.Anchors[pair];
                subspace.AddDistanceGradient(alpha, subspace.Row(anchor), subspace.Gradient(anchor), subspace.Codes[vertex]);
                matters = true;
            }
        }

        return matters;
    }

    // u_k = sum of alpha T_k(q) over the queries of the vertex.
    private static void Upstream(in Subspace subspace, RpqPairs pairs, int vertex, SubspaceScratch scratch, int active)
    {
        int from = pairs.Starts[vertex], to = pairs.Starts[vertex + 1];
        if (active * WholeTable > subspace.K)
        {
            WholeUpstream(subspace, pairs, from, to, scratch, active);
            return;
        }

        new Span<float>(scratch.Upstream, active).Clear();
        for (int pair = from; pair < to; pair++)
        {
            float alpha = pairs.Alphas[pair];
            float* table = subspace.Table(pairs.Anchors[pair]);
            for (int j = 0; alpha != 0 && j < active; j++)
            {
                scratch.Upstream[j] += alpha * table[scratch.Active[j]];
            }
        }
    }

    private static void WholeUpstream(in Subspace subspace, RpqPairs pairs, int from, int to, SubspaceScratch scratch, int active)
    {
        new Span<float>(scratch.Sums, subspace.K).Clear();
        for (int pair = from; pair < to; pair++)
        {
            if (pairs.Alphas[pair] is var alpha && alpha != 0)
            {
                ScaledSum.Add(alpha, subspace.Table(pairs.Anchors[pair]), scratch.Sums, subspace.K);
            }
        }

        for (int j = 0; j < active; j++)
        {
            scratch.Upstream[j] = scratch.Sums[scratch.Active[j]];
        }
    }
}
