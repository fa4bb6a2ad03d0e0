using Signpost.Engine.Kernels;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// A vertex and its neighbours while the vertex' code is sought: the error that each neighbour sees under the code so far. With r the
/// difference of neighbour and vertex (squared distances) or the neighbour itself (products, taken twice), and e = c - z by subspace:
/// <code>error = left + sum_m (squared ||e_m||^2 - 2 r_m . e_m),   squared = 1 or 0</code>
/// where left is what a rotation onto fewer directions leaves out. Lanes are neighbours.
/// </summary>
/// <remarks>Memory is the owner's: <see cref="Floats"/> floats, 0 where nothing was written yet.</remarks>
internal sealed unsafe class Neighbourhood
{
    private readonly float* _own;
    private readonly float* _relative;
    private readonly float* _sums;
    private readonly float* _spread;
    private readonly float* _present;
    private readonly float* _errors;
    private readonly float* _without;
    private readonly int _dim;
    private float _squared;

    /// <param name="memory">Floats of this object alone.</param>
    /// <param name="dim">Components of a rotated vector.</param>
    /// <param name="most">Most neighbours.</param>
    public Neighbourhood(float* memory, int dim, int most)
    {
        _dim = dim;
        Stride = StrideOf(most);
        _own = memory;
        _sums = _own + dim;
        _relative = _sums + dim;
        _present = _relative + ((long)dim * Stride);
        _errors = _present + Stride;
        _without = _errors + Stride;
        _spread = _without + Stride;
    }

    /// <summary>Neighbours rounded up to whole vectors: those beyond <see cref="Count"/> are zeros.</summary>
    public int Padded { get; private set; }

    /// <summary>Floats from one component of all neighbours to the next.</summary>
    public int Stride { get; }

    /// <summary>Neighbours.</summary>
    public int Count { get; private set; }

    /// <summary>1 / sum of the squared distances to the neighbours; infinity where it is 0: every neighbour is a copy.</summary>
    public float Scale { get; private set; }

    /// <summary>Floats of memory for subspaces with so many products of two components together (0: none are looked at).</summary>
    public static long Floats(int dim, int most, int allPairs) => (2L * dim) + ((dim + 3L) * StrideOf(most)) + allPairs;

    /// <summary>Component <paramref name="d"/> of r, neighbour by neighbour.</summary>
    public float* Relative(int d) => _relative + ((long)d * Stride);

    /// <summary>Takes a vertex.</summary>
    /// <param name="rotated">Component by component, the vertex first and then its neighbours; <paramref name="step"/> floats from one component to the next.</param>
    /// <param name="step">Columns of <paramref name="rotated"/>; 15 more floats than the last row needs are readable.</param>
    /// <param name="count">Neighbours, at least 1.</param>
    /// <param name="left">What of each error is in no subspace; empty: nothing. Shape: [count].</param>
    /// <param name="distances">Sum of the squared distances to the neighbours; NaN: to be taken from the rotated vectors.</param>
    /// <param name="squared">Squared distances; else products.</param>
    public void Begin(float* rotated, int step, int count, ReadOnlySpan<float> left, double distances, bool squared)
    {
        Count = count;
        Padded = StrideOf(count);
        _squared = squared ? 1 : 0;
        new Span<float>(_present, count).Fill(1);
        new Span<float>(_present + count, Padded - count).Clear();
        new Span<float>(_errors, Padded).Clear();
        left.CopyTo(new Span<float>(_errors, count));
        double all = 0;
        for (int d = 0; d < _dim; d++)
        {
            float* row = rotated + ((long)d * step);
            float own = _own[d] = row[0];
            NeighbourLanes.Shift(row + 1, _present, -own, Relative(d), Padded);
            all += NeighbourLanes.Dot(Relative(d), Relative(d), Padded);
            if (!squared)
            {
                NeighbourLanes.Shift(row + 1, _present, 0, Relative(d), Padded);
            }

            _sums[d] = NeighbourLanes.Dot(Relative(d), _present, Padded);
        }

        Scale = (float)(1 / (double.IsNaN(distances) ? all : distances));
    }

    /// <summary>Computes sum_u r_d r_e of all pairs of components of a subspace, where its codebook has products.</summary>
    /// <param name="codebook">The subspace.</param>
    /// <param name="firstPair">Pairs of the subspaces before it.</param>
    public void Spread(in CodebookView codebook, int firstPair)
    {
        float* target = _spread + firstPair;
        for (int d = 0; d < (codebook.Products is null ? 0 : codebook.Width); d++)
        {
            for (int e = d; e < codebook.Width; e++)
            {
                *target++ = (d == e ? 1 : 2) * NeighbourLanes.Dot(Relative(codebook.Offset + d), Relative(codebook.Offset + e), Padded);
            }
        }
    }

    /// <summary>Adds what codeword <paramref name="k"/> adds to the errors.</summary>
    public void Add(in CodebookView codebook, int k)
    {
        // -2 r . (c - z) is added as -2 r . c and 2 r . z, as CostsOf and Take do, so that all see the same sums.
        float* own = _own + codebook.Offset;
        for (int d = 0; d < codebook.Width; d++)
        {
            NeighbourLanes.AddScaled(Relative(codebook.Offset + d), 2 * own[d], _errors, Padded);
        }

        Change(codebook, k, 1, _errors, _errors);
    }

    /// <summary>Writes what the costs of the codewords of a subspace follow from, with the others as they are and codeword <paramref name="k"/> in use.</summary>
    /// <param name="codebook">The subspace.</param>
    /// <param name="firstPair">Pairs of the subspaces before it.</param>
    /// <param name="k">The codeword in use.</param>
    /// <param name="isotropy">As <see cref="Refinement.Isotropy"/>.</param>
    /// <param name="terms">For place <paramref name="index"/> of these.</param>
    /// <param name="index">0 .. Group - 1.</param>
    public void Terms(in CodebookView codebook, int firstPair, int k, float isotropy, in CostTerms terms, int index)
    {
        const int Group = CostTerms.Group;
        Change(codebook, k, -1, _errors, _without);
        float* own = _own + codebook.Offset;
        float square = 0;
        for (int d = 0; d < codebook.Width; d++)
        {
            float* linear = terms.Linear + (d * 3 * Group) + index;
            square += own[d] * own[d];
            linear[0] = -2 * own[d];
            linear[Group] = -4 * _squared * Scale * _sums[codebook.Offset + d];
            linear[2 * Group] = -4 * Scale * NeighbourLanes.Dot(Relative(codebook.Offset + d), _without, Padded);
        }

        terms.Constants[index] = square;
        terms.Constants[Group + index] = (2 * _squared * Scale * NeighbourLanes.Dot(_present, _without, Padded)) + isotropy;
        terms.Constants[(2 * Group) + index] = _squared * Scale * Count;
        int pairs = codebook.Products is null ? 0 : CodebookView.PairsOf(codebook.Width);
        for (int j = 0; j < pairs; j++)
        {
            terms.Spread[(j * Group) + index] = 4 * Scale * _spread[firstPair + j];
        }
    }

    /// <summary>Puts codeword <paramref name="k"/> in the place of the one that was in use in <see cref="Terms"/>.</summary>
    public void Take(in CodebookView codebook, int k) => Change(codebook, k, 1, _without, _errors);

    /// <summary>Adds or takes away <paramref name="sign"/> (squared ||c - z||^2 - 2 r . c).</summary>
    private void Change(in CodebookView codebook, int k, float sign, float* source, float* target)
    {
        const int Lanes = CodewordKernels.PanelWidth;
        float* codeword = codebook.Panels + ((long)(k / Lanes) * Lanes * codebook.Width) + (k % Lanes);
        float* own = _own + codebook.Offset;
        float error = 0;
        for (int d = 0; d < codebook.Width; d++)
        {
            float e = codeword[d * Lanes] - own[d];
            error += e * e;
        }

        new ReadOnlySpan<float>(source, Padded).CopyTo(new Span<float>(target, Padded));
        NeighbourLanes.AddScaled(_present, sign * _squared * error, target, Padded);
        for (int d = 0; d < codebook.Width; d++)
        {
            NeighbourLanes.AddScaled(Relative(codebook.Offset + d), -2 * sign * codeword[d * Lanes], target, Padded);
        }
    }

    private static int StrideOf(int count) => (count + NeighbourLanes.Most - 1) / NeighbourLanes.Most * NeighbourLanes.Most;
}
