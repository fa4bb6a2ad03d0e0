using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>
/// Temperatures at which assignments are neither blind nor blunt: per subspace, the T at which the mean entropy of the assignment
/// probabilities is as wanted (as in Morozov, Babenko, "Unsupervised neural quantization", 2019).
/// </summary>
internal static unsafe class TemperatureFit
{
    private const int Halvings = 40; // of a range of 2 x 30: far below the rounding of a float
    private const double Range = 30;
    private const double Hopeless = 40; // exp(-40) adds nothing in double precision sums

    /// <summary>Sets <see cref="RpqParameters.LogTemperatures"/>; a few hundred rows are enough.</summary>
    /// <param name="parameters">Their codebooks and rotation are used.</param>
    /// <param name="rows">Rows before rotation, at least one.</param>
    /// <param name="entropy">Mean entropy wanted, in nats, above 0 and below ln K.</param>
    /// <param name="work">Threads.</param>
    /// <remarks>
    /// Entropy rises with T, so bisection finds it. Where no temperature has it, because codewords coincide, the nearest end of the
    /// range is taken: e^-30 or e^30 times the mean distance (1 where that is zero).
    /// </remarks>
    public static void Apply(RpqParameters parameters, FloatRows rows, double entropy, Work work)
    {
        Check.That(rows.Count > 0 && rows.Dim == parameters.Dim && entropy > 0 && entropy < Math.Log(parameters.K));
        using var rotated = new FloatRows(rows.Count, rows.Dim);
        Rotations.Apply(parameters.Rotation, rows, rotated, work.Silent());
        work.For("fit temperatures", parameters.M, 1, (from, to, _) =>
        {
            for (int m = (int)from; m < to; m++)
            {
                parameters.LogTemperatures[m] = (float)Fit(Distances(parameters, rotated, m), parameters.K, entropy);
            }
        });
    }

    /// <summary>Mean entropy in nats of softmax(-distances / e^logTemperature). Shape of distances: [rows, k].</summary>
    internal static double MeanEntropy(float[] distances, int k, double logTemperature)
    {
        double inverse = Math.Exp(-logTemperature);
        double total = 0;
        for (int row = 0; row < distances.Length; row += k)
        {
            ReadOnlySpan<float> one = distances.AsSpan(row, k);
            float least = one[0];
            foreach (float distance in one)
            {
                least = Math.Min(least, distance);
            }

            double sum = 0;
            double moment = 0;
            foreach (float distance in one)
            {
                double x = (distance - least) * inverse;
                if (x < Hopeless)
                {
                    double odds = Math.Exp(-x);
                    sum += odds;
                    moment += odds * x;
                }
            }

            total += Math.Log(sum) + moment / sum;
        }

        return total / (distances.Length / k);
    }

    private static double Fit(float[] distances, int k, double entropy)
    {
        double mean = distances.Average(value => (double)value);
        if (!(mean > 0))
        {
            return 0;
        }

        double low = Math.Log(mean) - Range;
        double high = Math.Log(mean) + Range;
        for (int i = 0; i < Halvings; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = MeanEntropy(distances, k, middle) < entropy ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    private static float[] Distances(RpqParameters parameters, FloatRows rotated, int m)
    {
        int width = Subspaces.Width(parameters.Dim, parameters.M, m);
        int offset = Subspaces.Offset(parameters.Dim, parameters.M, m);
        var distances = new float[rotated.Count * parameters.K];
        for (int i = 0; i < distances.Length; i++)
        {
            float* row = rotated.Row(i / parameters.K) + offset;
            ReadOnlySpan<float> codeword = parameters.Codewords.AsSpan(parameters.K * offset + i % parameters.K * width, width);
            for (int d = 0; d < width; d++)
            {
                distances[i] += (row[d] - codeword[d]) * (row[d] - codeword[d]);
            }
        }

        return distances;
    }
}
