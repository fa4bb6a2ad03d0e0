using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>A way to move a rotation along a gradient without leaving the rotations.</summary>
internal interface IRotationStep
{
    /// <summary>The optimiser of the dim (dim - 1) / 2 free numbers of a rotation: lower triangles of skew matrices, row by row.</summary>
    Adam Optimiser { get; }

    /// <summary>Moves <paramref name="rotation"/> one step in place.</summary>
    /// <param name="rotation">R, shape [dim, dim].</param>
    /// <param name="gradient">G = dL/dR, the Euclidean gradient, shape [dim, dim].</param>
    /// <param name="learningRate">Radians, about, per entry.</param>
    /// <param name="work">Threads.</param>
    void Step(float[] rotation, float[] gradient, double learningRate, Work work);
}

/// <summary>
/// Steps on the manifold of rotations itself, R := R exp(-rate U): the direction U comes from the skew matrix R^T G - G^T R, the
/// gradient at A = 0 of R exp(A). No derivative of the exponential is needed, because every step starts from A = 0 again.
/// </summary>
/// <param name="dim">Components of a vector.</param>
/// <param name="options">Settings of the optimiser.</param>
internal sealed class RotationStep(int dim, AdamOptions options) : IRotationStep
{
    private const int StepsPerCleaning = 50; // rounding drifts off the rotations by about 1e-7 a step

    private const int MostTerms = 60;

    private readonly float[] _product = new float[dim * dim];
    private readonly float[] _term = new float[dim * dim];
    private readonly float[] _turn = new float[dim * dim];
    private readonly float[] _lower = new float[dim * (dim - 1) / 2];

    /// <inheritdoc/>
    public Adam Optimiser { get; } = new(dim * (dim - 1) / 2, options);

    /// <inheritdoc/>
    public void Step(float[] rotation, float[] gradient, double learningRate, Work work)
    {
        Check.That(rotation.Length == dim * dim && gradient.Length == dim * dim);
        Work silent = work.Silent();
        Skew(rotation, gradient, _lower, silent);
        Optimiser.Direction(_lower, _lower);
        Turn(rotation, _lower, learningRate, silent);
        if (Optimiser.Steps % StepsPerCleaning == 0)
        {
            Rotations.Clean(rotation, dim, silent);
        }
    }

    /// <summary>Lower triangle of R^T G - G^T R.</summary>
    internal void Skew(float[] rotation, float[] gradient, float[] lower, Work work)
    {
        Rotations.MultiplyTransposed(
            Rotations.Transposed(rotation, dim), Rotations.Transposed(gradient, dim), dim, _product, work);
        for (int i = 0, entry = 0; i < dim; i++)
        {
            for (int j = 0; j < i; j++)
            {
                lower[entry++] = _product[i * dim + j] - _product[j * dim + i];
            }
        }
    }

    /// <summary>R := R exp(-rate U), by the series of the exponential: a step is short, so three or four terms are all.</summary>
    /// <param name="rotation">R.</param>
    /// <param name="lower">Lower triangle of U; its upper triangle is the negative.</param>
    /// <param name="rate">Factor.</param>
    /// <param name="work">Threads.</param>
    internal void Turn(float[] rotation, float[] lower, double rate, Work work)
    {
        for (int i = 0, entry = 0; i < dim; i++)
        {
            _turn[i * dim + i] = 0;
            for (int j = 0; j < i; j++, entry++)
            {
                // (-rate U)^T, as the product takes its right side transposed
                _turn[i * dim + j] = (float)(rate * lower[entry]);
                _turn[j * dim + i] = (float)(-rate * lower[entry]);
            }
        }

        rotation.CopyTo(_term, 0);
        double most = 1;
        for (int n = 1; n <= MostTerms && most > 1e-9; n++)
        {
            Rotations.MultiplyTransposed(_term, _turn, dim, _product, work);
            most = 0;
            for (int i = 0; i < _product.Length; i++)
            {
                _term[i] = _product[i] / n;
                rotation[i] += _term[i];
                most = Math.Max(most, Math.Abs(_term[i]));
            }
        }
    }
}
