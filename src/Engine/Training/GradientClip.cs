namespace Signpost.Engine.Training;

/// <summary>Scales gradients down to a longest common norm, so that one odd batch does not throw a training off.</summary>
/// <param name="limit">Longest Euclidean norm of all gradients together; infinity never clips.</param>
internal sealed class GradientClip(double limit)
{
    /// <summary>Times that gradients were too long.</summary>
    public long Clipped { get; set; }

    /// <summary>Scales in place.</summary>
    /// <returns>The norm before; where it is not finite nothing is changed, and the step should not be made.</returns>
    public double Apply(params ReadOnlySpan<float[]> gradients)
    {
        double squares = 0;
        foreach (float[] gradient in gradients)
        {
            foreach (float value in gradient)
            {
                squares += (double)value * value;
            }
        }

        double norm = Math.Sqrt(squares);
        if (norm > limit && double.IsFinite(norm))
        {
            Clipped++;
            foreach (float[] gradient in gradients)
            {
                for (int i = 0; i < gradient.Length; i++)
                {
                    gradient[i] = (float)(gradient[i] * (limit / norm));
                }
            }
        }

        return norm;
    }
}
