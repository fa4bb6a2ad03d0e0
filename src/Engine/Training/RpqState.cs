using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>All that changes while RPQ is learned: with the options and the collection it decides what comes next.</summary>
internal sealed class RpqState
{
    private readonly RpqOptions _options;
    private readonly GradientClip _clip;

    /// <summary>A training that has not begun.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="space">Where it goes on.</param>
    /// <param name="start">Parameters to begin with; taken over.</param>
    /// <param name="rotationBase">The rotation that the training began with; that of <paramref name="start"/>, unless it goes on.</param>
    /// <param name="refinement">How codes are fitted to their neighbourhoods.</param>
    public RpqState(RpqOptions options, RpqSpace space, RpqParameters start, float[] rotationBase, Refinement? refinement)
    {
        _options = options;
        _clip = new GradientClip(options.ClipNorm);
        Space = space;
        Parameters = start;
        Best = start.Copy();
        RotationBase = rotationBase;
        Refinement = refinement;
        Codewords = new Adam(start.Codewords.Length, options.Optimiser);
        Temperatures = new Adam(start.M, options.Optimiser);
        Rotation = (options.RotationRate > 0, options.Rotation) switch
        {
            (false, _) => null,
            (true, RotationMap.Rebased) => new RotationStep(start.Dim, options.Optimiser),
            (true, _) => new ExponentialRotation(rotationBase, start.Dim, options.Optimiser),
        };
    }

    /// <summary>The space of the parameters.</summary>
    public RpqSpace Space { get; }

    /// <summary>As they are now.</summary>
    public RpqParameters Parameters { get; }

    /// <summary>Those with the best score.</summary>
    public RpqParameters Best { get; private set; }

    /// <summary>The rotation that the training began with.</summary>
    public float[] RotationBase { get; }

    /// <summary>How codes are fitted to their neighbourhoods; null: not at all.</summary>
    public Refinement? Refinement { get; }

    /// <summary>Optimiser of the codewords.</summary>
    public Adam Codewords { get; }

    /// <summary>Optimiser of the logarithms of the temperatures.</summary>
    public Adam Temperatures { get; }

    /// <summary>Moves the rotation; null where it stays.</summary>
    public IRotationStep? Rotation { get; }

    /// <summary>Steps made.</summary>
    public long Step { get; set; }

    /// <summary>Steps left out because a gradient was not finite.</summary>
    public long Skipped { get; set; }

    /// <summary>Scores taken.</summary>
    public long Judged { get; set; }

    /// <summary>Scores since the best.</summary>
    public long Stale { get; set; }

    /// <summary>Steps of the best.</summary>
    public long BestStep { get; set; }

    /// <summary>Score of the start.</summary>
    public RoutingScore StartScore { get; set; }

    /// <summary>Score of the best; the start's or above.</summary>
    public RoutingScore BestScore { get; set; }

    /// <summary>Seconds of the training so far.</summary>
    public double Seconds { get; set; }

    /// <summary>Seconds of its steps so far.</summary>
    public double StepSeconds { get; set; }

    /// <summary>Takes the score of the parameters as they are.</summary>
    public void Judge(RoutingScore score)
    {
        bool isBetter = Judged == 0 || score.CompareTo(BestScore) > 0;
        StartScore = Judged == 0 ? score : StartScore;
        Judged++;
        Stale = isBetter ? 0 : Stale + 1;
        if (isBetter)
        {
            Best = Parameters.Copy();
            BestScore = score;
            BestStep = Step;
        }
    }

    /// <summary>Moves the parameters one step against the gradients, unless one is not finite.</summary>
    public void Apply(RpqStep gradients, Work work)
    {
        double rate = _options.RateAt(Step);
        Step++;
        if (!double.IsFinite(_clip.Apply(gradients.Codewords, gradients.LogTemperatures, gradients.Rotation)))
        {
            Skipped++;
            return;
        }

        Codewords.Update(Parameters.Codewords, gradients.Codewords, rate);
        if (_options.Loss.StraightThrough)
        {
            Temperatures.Update(Parameters.LogTemperatures, gradients.LogTemperatures, rate);
        }

        Rotation?.Step(Parameters.Rotation, gradients.Rotation, rate * _options.RotationRate, work);
    }
}
