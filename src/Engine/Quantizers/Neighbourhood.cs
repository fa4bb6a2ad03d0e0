using Signpost.Engine.Kernels;

namespace Signpost.Engine.Quantizers;

/// <summary>A codebook as <see cref="Neighbourhood"/> reads it.</summary>
/// <param name="panels">As <see cref="CodewordKernels"/> lays them out.</param>
/// <param name="k">Codewords, a multiple of 16.</param>
/// <param name="offset">First component of the subspace.</param>
/// <param name="width">Components of the subspace.</param>
/// <param name="squares">Squared lengths. Shape: [k].</param>
/// <param name="constants">What of a distance does not depend on the query: the squared lengths, or zeros. Shape: [k].</param>
internal readonly unsafe ref struct CodebookView(
    float* panels, int k, int offset, int width, ReadOnlySpan<float> squares, ReadOnlySpan<float> constants)
{
    public readonly float* Panels = panels;
    public readonly int K = k;
    public readonly int Offset = offset;
    public readonly int Width = width;
    public readonly ReadOnlySpan<float> Squares = squares;
    public readonly ReadOnlySpan<float> Constants = constants;
}

/// <summary>
/// A vertex and its neighbours while the vertex' code is sought: the error that each neighbour sees, and the codeword of a subspace
/// that makes all of them least. Rows are kept times -2, as they occur in squared distances.
/// </summary>
/// <param name="rows">Shape: [1 + neighbours rounded up to whole tiles, dim]: the vertex, then its neighbours.</param>
/// <param name="dim">Components of a row.</param>
/// <param name="count">Neighbours.</param>
/// <param name="present">1 for a neighbour, 0 for what only fills the last tile. Shape: [neighbours rounded up].</param>
/// <param name="errors">dhat - d by neighbour. Shape: [neighbours rounded up].</param>
internal readonly unsafe struct Neighbourhood(float* rows, int dim, int count, float* present, float* errors)
{
    private readonly int _padded = (count + NeighbourTile.Rows - 1) / NeighbourTile.Rows * NeighbourTile.Rows;

    /// <summary>Sets the errors to -d, to which the terms of a code are to be added, and scales the rows.</summary>
    /// <param name="vectors">
    /// The vertex and its neighbours before the rotation: d is the true distance, also where the rotation leaves directions out. Shape:
    /// [1 + neighbours, vectorDim].
    /// </param>
    /// <param name="vectorDim">Components before the rotation.</param>
    /// <param name="squared">Whether the distance is the squared one; else it is a product, taken twice.</param>
    /// <returns>1 / sum of the squared distances to the neighbours; infinity where it is 0.</returns>
    public float Begin(float* vectors, int vectorDim, bool squared)
    {
        double all = 0;
        for (int i = 0; i < count; i++)
        {
            (double distance, double product, double ownSquare) = Compare(vectors, vectors + ((i + 1L) * vectorDim), vectorDim);
            all += distance;

            // Of ||u - c||^2 only -2 u.c + ||c||^2 will be added: ||u||^2 is taken from d here.
            errors[i] = (float)(2 * product - (squared ? ownSquare : 0));
            present[i] = 1f;
        }

        for (int i = count; i < _padded; i++)
        {
            errors[i] = 0f;
            present[i] = 0f;
            new Span<float>(rows + ((i + 1L) * dim), dim).Clear();
        }

        for (long d = 0; d < (count + 1L) * dim; d++)
        {
            rows[d] *= -2f;
        }

        return (float)(1 / all);
    }

    /// <summary>Adds <paramref name="times"/> the terms of codeword <paramref name="k"/> to the errors.</summary>
    public void Add(in CodebookView codewords, int k, float times)
    {
        const int Lanes = CodewordKernels.PanelWidth;
        float* codeword = codewords.Panels + ((long)(k / Lanes) * Lanes * codewords.Width) + (k % Lanes);
        float constant = codewords.Constants[k];
        for (int i = 0; i < count; i++)
        {
            float* row = rows + ((i + 1L) * dim) + codewords.Offset;
            float sum = constant;
            for (int d = 0; d < codewords.Width; d++)
            {
                sum += row[d] * codeword[d * Lanes];
            }

            errors[i] += times * sum;
        }
    }

    /// <summary>
    /// The codeword with the least scale * sum of squared errors + isotropy * squared error of the vertex, the lower one of equals;
    /// the errors are without the subspace's term.
    /// </summary>
    public int Best(in CodebookView codewords, float scale, float isotropy) =>
        NeighbourTile.Best<Native>(rows, dim, _padded, present, errors, codewords, scale, isotropy);

    private static (double Distance, double Product, double OwnSquare) Compare(float* own, float* other, int dim)
    {
        double distance = 0, product = 0, ownSquare = 0;
        for (int d = 0; d < dim; d++)
        {
            double difference = other[d] - own[d];
            distance += difference * difference;
            product += (double)other[d] * own[d];
            ownSquare += (double)own[d] * own[d];
        }

        return (distance, product, ownSquare);
    }
}
