using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>
/// R = B exp(A) with a fixed base B and a skew-symmetric A that is learned, as in RPQ's published code: A adds up over the whole
/// training. <see cref="RotationStep"/> is cheaper and differs in the second order of A only.
/// </summary>
internal sealed class ExponentialRotation : IRotationStep
{
    private readonly int _dim;
    private readonly double[] _base;

    /// <summary>A rotation that starts at its base, A = 0.</summary>
    /// <param name="rotation">B, orthonormal, shape [dim, dim].</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="options">Settings of the optimiser.</param>
    public ExponentialRotation(ReadOnlySpan<float> rotation, int dim, AdamOptions options)
    {
        Check.That(rotation.Length == dim * dim);
        _dim = dim;
        _base = new double[dim * dim];
        for (int i = 0; i < rotation.Length; i++)
        {
            _base[i] = rotation[i];
        }

        Optimiser = new Adam(dim * (dim - 1) / 2, options);
        Lower = new float[dim * (dim - 1) / 2];
    }

    /// <inheritdoc/>
    public Adam Optimiser { get; }

    /// <summary>Lower triangle of A, row by row; with the optimiser's this is the state of a training.</summary>
    public float[] Lower { get; }

    /// <inheritdoc/>
    public void Step(float[] rotation, float[] gradient, double learningRate, Work work)
    {
        Check.That(rotation.Length == _dim * _dim && gradient.Length == _dim * _dim);
        Optimiser.Update(Lower, Gradient(gradient, work), learningRate);
        double[] turned = SkewExponential.Multiply(_base, SkewExponential.Exp(Skew(), _dim, work), _dim, work);
        for (int i = 0; i < rotation.Length; i++)
        {
            rotation[i] = (float)turned[i];
        }
    }

    /// <summary>Derivative by the lower triangle of A, whose upper triangle is its negative.</summary>
    internal float[] Gradient(float[] gradient, Work work)
    {
        double[] g = [.. gradient.Select(value => (double)value)];
        double[] pulledBack = SkewExponential.Multiply(Transposed(_base), g, _dim, work);
        double[] adjoint = SkewExponential.AdjointDerivative(Skew(), pulledBack, _dim, work);
        var lower = new float[Lower.Length];
        for (int i = 0, entry = 0; i < _dim; i++)
        {
            for (int j = 0; j < i; j++)
            {
                lower[entry++] = (float)(adjoint[i * _dim + j] - adjoint[j * _dim + i]);
            }
        }

        return lower;
    }

    private double[] Skew()
    {
        var skew = new double[_dim * _dim];
        for (int i = 0, entry = 0; i < _dim; i++)
        {
            for (int j = 0; j < i; j++, entry++)
            {
                skew[i * _dim + j] = Lower[entry];
                skew[j * _dim + i] = -Lower[entry];
            }
        }

        return skew;
    }

    private double[] Transposed(double[] matrix)
    {
        var transposed = new double[matrix.Length];
        for (int i = 0; i < matrix.Length; i++)
        {
            transposed[i % _dim * _dim + i / _dim] = matrix[i];
        }

        return transposed;
    }
}
