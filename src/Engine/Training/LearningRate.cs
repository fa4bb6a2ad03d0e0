namespace Signpost.Engine.Training;

/// <summary>What the learning rate does after its warm-up.</summary>
public enum LearningRateDecay
{
    /// <summary>Falls by the factor e^-Decay in as many steps as the warm-up took: RPQ's published code.</summary>
    Exponential,

    /// <summary>Falls along half a cosine to the floor at TotalSteps (Loshchilov, Hutter 2017).</summary>
    Cosine,
}

/// <summary>The learning rate of every step: a linear warm-up, a decay, and a floor under both.</summary>
public sealed record LearningRate
{
    /// <summary>The highest rate, reached with the last step of the warm-up.</summary>
    public double Peak { get; init; } = 1e-3;

    /// <summary>The lowest rate.</summary>
    public double Floor { get; init; } = 1e-5;

    /// <summary>Steps until the peak, at least 1.</summary>
    public long WarmUpSteps { get; init; } = 1000;

    /// <summary>The shape after the peak.</summary>
    public LearningRateDecay Shape { get; init; } = LearningRateDecay.Exponential;

    /// <summary>Exponential only: the logarithm lost per WarmUpSteps steps.</summary>
    public double Decay { get; init; } = 0.2;

    /// <summary>Cosine only: the step from which on the rate is the floor, above WarmUpSteps.</summary>
    public long TotalSteps { get; init; } = 10_000;

    /// <summary>The rate of step <paramref name="step"/>, counted from 0.</summary>
    public double At(long step)
    {
        double done = (step + 1.0) / WarmUpSteps;
        if (done <= 1)
        {
            return Math.Max(Floor, Peak * done);
        }

        if (Shape == LearningRateDecay.Exponential)
        {
            return Math.Max(Floor, Peak * Math.Exp(Decay * (1 - done)));
        }

        double share = Math.Min(1, (step + 1.0 - WarmUpSteps) / Math.Max(1, TotalSteps - WarmUpSteps));
        return Floor + (Peak - Floor) * (1 + Math.Cos(Math.PI * share)) / 2;
    }
}
