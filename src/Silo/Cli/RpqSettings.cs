using Signpost.Engine.Training;

namespace Signpost.Silo.Cli;

/// <summary>What the command line says about a training of RPQ.</summary>
internal static class RpqSettings
{
    /// <summary>The settings; a verb that calls <see cref="Apply"/> has them.</summary>
    public static readonly Setting[] All = [Settings.Steps, Settings.TrainingQueries, Settings.RotatedDim];

    /// <summary><paramref name="profile"/> with what this run changes. What makes no steps stays without.</summary>
    public static RpqOptions Apply(Session session, RpqOptions profile) => TrainingMethods.Apply(
        profile, session.Get(Settings.Steps), session.Get(Settings.TrainingQueries), session.Get(Settings.RotatedDim));
}
