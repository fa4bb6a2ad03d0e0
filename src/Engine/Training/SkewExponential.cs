using System.Numerics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>
/// The exponential of a skew-symmetric matrix, which is a rotation, and the adjoint of its derivative, in double precision. Square
/// matrices of shape [n, n], row-major.
/// </summary>
/// <remarks>
/// Scaling and squaring of the Taylor series, differentiated term by term (Al-Mohy, Higham, "Computing the Frechet derivative of the
/// matrix exponential", 2009): what the exponential of the block matrix [[A, E], [0, A]] has in its upper right block, without the
/// blocks that are zero or equal. Eigenvalues play no part, so equal ones are nothing special.
/// </remarks>
internal static class SkewExponential
{
    private const int Terms = 14; // of a matrix of norm 1/2: the rest is below 1e-16

    /// <summary>exp(a).</summary>
    public static double[] Exp(double[] a, int n, Work work) => Evaluate(a, null, n, work).Exp;

    /// <summary>
    /// L(-a, e) for the derivative L of the exponential: if dL/dR = G with R = B exp(A), then dL/dA = L(-A, B^T G).
    /// </summary>
    public static double[] AdjointDerivative(double[] a, double[] e, int n, Work work) =>
        Evaluate([.. a.Select(value => -value)], e, n, work).Derivative!;

    /// <summary>a b.</summary>
    internal static double[] Multiply(double[] a, double[] b, int n, Work work)
    {
        var product = new double[n * n];
        work.Silent().For("multiply", n, 16, (from, to, _) =>
        {
            for (int i = (int)from; i < to; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    AddScaled(product.AsSpan(i * n, n), a[i * n + j], b.AsSpan(j * n, n));
                }
            }
        });
        return product;
    }

    private static (double[] Exp, double[]? Derivative) Evaluate(double[] a, double[]? e, int n, Work work)
    {
        Check.That(a.Length == n * n && (e is null || e.Length == n * n));
        double norm = Enumerable.Range(0, n).Max(i => a.AsSpan(i * n, n).ToArray().Sum(Math.Abs));
        int squarings = norm > 0.5 ? (int)Math.Ceiling(Math.Log2(2 * norm)) : 0;
        double scale = Math.Pow(2, -squarings);
        double[] x = [.. a.Select(value => value * scale)];
        double[]? dx = e?.Select(value => value * scale).ToArray();
        double[] exp = Identity(n);
        double[] term = Identity(n);
        double[]? derivative = dx is null ? null : new double[n * n];
        double[]? termDerivative = dx is null ? null : new double[n * n];
        for (int j = 1; j <= Terms; j++)
        {
            if (dx is not null)
            {
                // d(term x) = dterm x + term dx
                termDerivative = Sum(Multiply(termDerivative!, x, n, work), Multiply(term, dx, n, work), 1.0 / j);
                derivative = Sum(derivative!, termDerivative, 1);
            }

            term = Sum(Multiply(term, x, n, work), null, 1.0 / j);
            exp = Sum(exp, term, 1);
        }

        for (int i = 0; i < squarings; i++)
        {
            if (derivative is not null)
            {
                derivative = Sum(Multiply(derivative, exp, n, work), Multiply(exp, derivative, n, work), 1);
            }

            exp = Multiply(exp, exp, n, work);
        }

        return (exp, derivative);
    }

    private static double[] Identity(int n)
    {
        var identity = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            identity[i * n + i] = 1;
        }

        return identity;
    }

    // (a + b) * scale, in the memory of a.
    private static double[] Sum(double[] a, double[]? b, double scale)
    {
        for (int i = 0; i < a.Length; i++)
        {
            a[i] = (a[i] + (b is null ? 0 : b[i])) * scale;
        }

        return a;
    }

    private static void AddScaled(Span<double> target, double scale, ReadOnlySpan<double> source)
    {
        int i = 0;
        var factor = new Vector<double>(scale);
        for (; i <= target.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            (new Vector<double>(target[i..]) + factor * new Vector<double>(source[i..])).CopyTo(target[i..]);
        }

        for (; i < target.Length; i++)
        {
            target[i] += scale * source[i];
        }
    }
}
