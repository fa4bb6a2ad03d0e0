using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>Settings of <see cref="Adam"/>; the defaults are those of RPQ's published code.</summary>
/// <param name="Nu1">Share of the mean gradient in the numerator, 0 .. 1; the rest is the gradient itself. 1: Adam.</param>
/// <param name="Nu2">Share of the mean square in the denominator, 0 .. 1. 1: Adam.</param>
/// <param name="Beta1">What the mean gradient keeps each step, [0, 1).</param>
/// <param name="Beta2">What the mean square keeps each step, [0, 1).</param>
/// <param name="Epsilon">Added to the denominator, above 0.</param>
public sealed record AdamOptions(
    double Nu1 = 0.8, double Nu2 = 0.7, double Beta1 = 0.95, double Beta2 = 0.998, double Epsilon = 1e-8)
{
    /// <summary>Plain Adam (Kingma, Ba 2015).</summary>
    public static AdamOptions Plain { get; } = new(1, 1, 0.9, 0.999);
}

/// <summary>
/// Quasi-hyperbolic Adam (Ma, Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", 2019). Its state is
/// <see cref="Steps"/>, <see cref="Mean"/> and <see cref="MeanSquare"/>; restoring these continues a training as if it had not stopped.
/// </summary>
/// <param name="count">Parameters.</param>
/// <param name="options">Settings.</param>
internal sealed class Adam(int count, AdamOptions options)
{
    /// <summary>Steps made.</summary>
    public long Steps { get; set; }

    /// <summary>Running mean of the gradient, not corrected. Shape: [parameters].</summary>
    public float[] Mean { get; } = new float[count];

    /// <summary>Running mean of its squares, not corrected. Shape: [parameters].</summary>
    public float[] MeanSquare { get; } = new float[count];

    /// <summary>
    /// Takes a gradient in and gives the direction of a step, which is to be subtracted, times the learning rate, from the parameters.
    /// </summary>
    public void Direction(ReadOnlySpan<float> gradient, Span<float> direction)
    {
        Check.That(gradient.Length == Mean.Length && direction.Length == Mean.Length);
        Steps++;
        double correct1 = 1 / (1 - Math.Pow(options.Beta1, Steps));
        double correct2 = 1 / (1 - Math.Pow(options.Beta2, Steps));
        for (int i = 0; i < Mean.Length; i++)
        {
            double g = gradient[i];
            double mean = options.Beta1 * Mean[i] + (1 - options.Beta1) * g;
            double square = options.Beta2 * MeanSquare[i] + (1 - options.Beta2) * g * g;
            Mean[i] = (float)mean;
            MeanSquare[i] = (float)square;
            double numerator = (1 - options.Nu1) * g + options.Nu1 * mean * correct1;
            double denominator = Math.Sqrt((1 - options.Nu2) * g * g + options.Nu2 * square * correct2) + options.Epsilon;
            direction[i] = (float)(numerator / denominator);
        }
    }

    /// <summary>Moves <paramref name="parameters"/> one step against <paramref name="gradient"/>.</summary>
    public void Update(Span<float> parameters, ReadOnlySpan<float> gradient, double learningRate)
    {
        Check.That(parameters.Length == Mean.Length);
        var direction = new float[parameters.Length];
        Direction(gradient, direction);
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i] = (float)(parameters[i] - learningRate * direction[i]);
        }
    }
}
