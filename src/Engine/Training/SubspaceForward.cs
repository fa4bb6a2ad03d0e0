using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>
/// The first pass over a subspace: tables of the anchors, codes of the vertices, and the reconstruction loss. An anchor's own code
/// serves its reconstruction alone, so its gradient is made here as well.
/// </summary>
internal static unsafe class SubspaceForward
{
    /// <summary>Squared reconstruction error and dL/d ln T of the anchors, both summed over rows.</summary>
    public static (double Error, double TemperatureGradient) Run(in Subspace subspace, RpqBatch batch, RpqLoss loss, SubspaceScratch scratch)
    {
        for (int anchor = 0; anchor < subspace.AnchorCount; anchor++)
        {
            subspace.DistancesTo(subspace.Row(anchor), subspace.Table(anchor));
        }

        Encode(subspace, batch.Codes, scratch);
        return loss.ReconstructionOf == ReconstructionOf.Vertices
            ? (VertexError(subspace), 0)
            : Anchors(subspace, batch.Step, loss, scratch);
    }

    private static void Encode(in Subspace subspace, byte[]? given, SubspaceScratch scratch)
    {
        if (given is not null)
        {
            int stride = given.Length / Math.Max(1, subspace.VertexCount);
            for (int i = 0; i < subspace.VertexCount; i++)
            {
                subspace.Codes[i] = given[(long)i * stride + subspace.M];
                Check.That(subspace.Codes[i] < subspace.K);
            }

            return;
        }

        for (int from = 0; from < subspace.VertexCount; from += SubspaceScratch.Rows)
        {
            int count = Math.Min(SubspaceScratch.Rows, subspace.VertexCount - from);
            float* rows = subspace.Row(subspace.AnchorCount + from);
            CodewordKernels.Nearest(
                rows, subspace.Stride, count, subspace.Panels, subspace.K, subspace.Width, scratch.Nearest, scratch.Distances);
            for (int i = 0; i < count; i++)
            {
                subspace.Codes[from + i] = (byte)scratch.Nearest[i];
            }
        }
    }

    private static double VertexError(in Subspace subspace)
    {
        double error = 0;
        for (int i = 0; i < subspace.VertexCount; i++)
        {
            error += subspace.Distance(subspace.Row(subspace.AnchorCount + i), subspace.Codes[i]);
        }

        return error;
    }

    private static (double Error, double TemperatureGradient) Anchors(
        in Subspace subspace, long step, RpqLoss loss, SubspaceScratch scratch)
    {
        double error = 0;
        double temperatureGradient = 0;
        float weight = (float)(loss.Reconstruction / Math.Max(1, subspace.AnchorCount));
        for (int anchor = 0; anchor < subspace.AnchorCount; anchor++)
        {
            float* row = subspace.Row(anchor);
            float* gradient = subspace.Gradient(anchor);
            float* distances = subspace.Table(anchor);
            NoisyCosts(subspace, anchor, step, loss, scratch);
            int code = ArgMin(scratch.Costs, subspace.K);
            error += distances[code];
            if (weight == 0)
            {
                continue;
            }

            subspace.AddDistanceGradient(weight, row, gradient, code);
            int active = loss.StraightThrough
                ? SparseSoftmax.Select(scratch.Costs, subspace.K, 1f, (float)loss.SparseThreshold, scratch.Active, scratch.Probabilities)
                : 0;
            if (active > 1)
            {
                new Span<float>(scratch.Upstream, active).Clear();
                subspace.AddReconstructionUpstream(-2 * weight, row, code, scratch, active);
                temperatureGradient += subspace.AddSoftmaxGradient(row, gradient, distances, scratch, active);
            }
        }

        return (error, temperatureGradient);
    }

    // What the anchor's arg-max is taken of, with the sign turned: t / T - nu g.
    private static void NoisyCosts(in Subspace subspace, int anchor, long step, RpqLoss loss, SubspaceScratch scratch)
    {
        var noise = new Span<float>(scratch.Upstream, subspace.K); // not in use yet
        if (loss.AnchorNoise > 0)
        {
            Gumbel.Fill(noise, new Seeded(loss.Seed, Gumbel.Stream(step, anchor, subspace.M)));
        }
        else
        {
            noise.Clear();
        }

        float* distances = subspace.Table(anchor);
        for (int k = 0; k < subspace.K; k++)
        {
            scratch.Costs[k] = distances[k] * subspace.InverseTemperature - (float)loss.AnchorNoise * noise[k];
        }
    }

    private static int ArgMin(float* costs, int k)
    {
        int least = 0;
        for (int i = 1; i < k; i++)
        {
            least = costs[i] < costs[least] ? i : least;
        }

        return least;
    }
}
