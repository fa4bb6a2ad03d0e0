using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>
/// One subspace of a step: its columns of the rotated rows, its codebook, and where its gradients go. Subspaces share nothing that
/// is written, so each is worked on by one thread and sums are always made in the same order.
/// </summary>
internal readonly unsafe struct Subspace
{
    /// <summary>Number of the subspace.</summary>
    public required int M { get; init; }

    /// <summary>Codewords.</summary>
    public required int K { get; init; }

    /// <summary>Components of the subspace.</summary>
    public required int Width { get; init; }

    /// <summary>Anchors, which come first among the rows.</summary>
    public required int AnchorCount { get; init; }

    /// <summary>Vertices.</summary>
    public required int VertexCount { get; init; }

    /// <summary>This subspace of the first rotated row; <see cref="Stride"/> floats from row to row.</summary>
    public required float* First { get; init; }

    /// <summary>Floats from row to row.</summary>
    public required long Stride { get; init; }

    /// <summary>dL/dz of every row. Shape: [anchors + vertices, Width].</summary>
    public required float* Gradients { get; init; }

    /// <summary>Shape: [K, Width].</summary>
    public required float* Codewords { get; init; }

    /// <summary>dL/dc. Shape: [K, Width].</summary>
    public required float* CodewordGradients { get; init; }

    /// <summary>The codewords as <see cref="CodewordKernels.Pack"/> lays them out.</summary>
    public required float* Panels { get; init; }

    /// <summary>Squared distances of anchors to codewords. Shape: [anchors, K].</summary>
    public required float* Tables { get; init; }

    /// <summary>Hard codes of the vertices. Shape: [vertices].</summary>
    public required byte* Codes { get; init; }

    /// <summary>1 / T.</summary>
    public required float InverseTemperature { get; init; }

    /// <summary>The anchors' row number i, or the vertices' row number i - anchors.</summary>
    public float* Row(int i) => First + i * Stride;

    /// <summary>dL/dz of a row.</summary>
    public float* Gradient(int i) => Gradients + (long)i * Width;

    /// <summary>A codeword.</summary>
    public float* Codeword(int k) => Codewords + k * Width;

    /// <summary>The squared distances of an anchor to the codewords.</summary>
    public float* Table(int anchor) => Tables + (long)anchor * K;

    /// <summary>Squared distances of a row to all codewords.</summary>
    public void DistancesTo(float* row, float* distances) =>
        CodewordKernels.Values<SquaredL2>(row, Panels, K, Width, 0f, distances);

    /// <summary>Adds the gradient of <paramref name="weight"/> times the squared distance of a row and a codeword.</summary>
    public void AddDistanceGradient(float weight, float* row, float* rowGradient, int codeword) =>
        DistanceGradient.Add(weight, row, Codeword(codeword), rowGradient, CodewordGradients + codeword * Width, Width);

    /// <summary>Squared distance of a row and a codeword.</summary>
    public float Distance(float* row, int codeword)
    {
        float* y = Codeword(codeword);
        float sum = 0;
        for (int d = 0; d < Width; d++)
        {
            sum += (row[d] - y[d]) * (row[d] - y[d]);
        }

        return sum;
    }

    /// <summary>
    /// Adds <paramref name="scale"/> &lt;e, c_k&gt; to u of the active codewords, where e is what the row is off its codeword: the
    /// reconstruction error seen by the straight-through code.
    /// </summary>
    public void AddReconstructionUpstream(float scale, float* row, int codeword, SubspaceScratch scratch, int activeCount)
    {
        float* own = Codeword(codeword);
        for (int j = 0; j < activeCount; j++)
        {
            float* other = Codeword(scratch.Active[j]);
            float dot = 0;
            for (int d = 0; d < Width; d++)
            {
                dot += (row[d] - own[d]) * other[d];
            }

            scratch.Upstream[j] += scale * dot;
        }
    }

    /// <summary>
    /// Back through the softmax of one row: from u, the derivative by the straight-through code, to the row, the codewords and ln T.
    /// With gamma = y (u - sum y u), dL/dt_k = -gamma_k / T for every squared distance t_k.
    /// </summary>
    /// <param name="row">The rotated row.</param>
    /// <param name="rowGradient">Added to.</param>
    /// <param name="distances">t. Shape: [K].</param>
    /// <param name="scratch">Active codewords, their probabilities y and u, which is overwritten.</param>
    /// <param name="activeCount">Active codewords.</param>
    /// <returns>dL/d ln T.</returns>
    public double AddSoftmaxGradient(float* row, float* rowGradient, float* distances, SubspaceScratch scratch, int activeCount)
    {
        for (int j = 0; j < activeCount; j++)
        {
            scratch.Sums[j] = distances[scratch.Active[j]];
        }

        double temperature = SparseSoftmax.Differentiate(scratch.Probabilities, scratch.Upstream, scratch.Sums, activeCount, InverseTemperature);
        DistanceGradient.AddRows(
            scratch.Upstream, scratch.Active, activeCount, row, Codewords, rowGradient, CodewordGradients, Width);
        return temperature;
    }
}
