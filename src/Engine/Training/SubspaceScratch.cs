using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>What one thread needs to work on a subspace.</summary>
internal sealed unsafe class SubspaceScratch : IDisposable
{
    /// <summary>Rows that are encoded together.</summary>
    public const int Rows = 512;

    private readonly AlignedBuffer _buffer;

    /// <summary>Scratch for <paramref name="k"/> codewords, a multiple of 16.</summary>
    public SubspaceScratch(int k)
    {
        _buffer = new AlignedBuffer((5L * k + 2L * Rows) * sizeof(float));
        Costs = (float*)_buffer.Pointer;
        Active = (int*)(Costs + k);
        Probabilities = Costs + 2 * k;
        Upstream = Costs + 3 * k;
        Sums = Costs + 4 * k;
        Nearest = (int*)(Costs + 5 * k);
        Distances = (float*)(Nearest + Rows);
    }

    /// <summary>What each codeword costs a row. Shape: [K].</summary>
    public float* Costs { get; }

    /// <summary>Codewords of some probability, ascending; as many as <see cref="SparseSoftmax.Select"/> said.</summary>
    public int* Active { get; }

    /// <summary>Their probabilities, y.</summary>
    public float* Probabilities { get; }

    /// <summary>Derivatives of the loss by the straight-through code at them, u.</summary>
    public float* Upstream { get; }

    /// <summary>What each codeword adds up to, or the active ones cost: for a moment. Shape: [K].</summary>
    public float* Sums { get; }

    /// <summary>Codes. Shape: [Rows].</summary>
    public int* Nearest { get; }

    /// <summary>Squared distances to the codewords. Shape: [Rows].</summary>
    public float* Distances { get; }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();
}
