using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;
using Signpost.Silo.Http;

namespace Signpost.Silo;

/// <summary>How a quantizer is to be learned, in the words of the command line and of the API.</summary>
internal static class TrainingMethods
{
    /// <summary>The method that <paramref name="body"/> asks for, for vectors of <paramref name="dim"/> components; or which word is none.</summary>
    public static Outcome<QuantizerMethod> Of(TrainBody body, int dim)
    {
        if (Read(Settings.Method, body.Method) is not QuantizerKind kind)
        {
            return Unknown("method", body.Method!, Settings.Method);
        }

        if (Read(Settings.Profile, body.Profile) is not RpqProfile profile)
        {
            return Unknown("profile", body.Profile!, Settings.Profile);
        }

        int m = body.M ?? Math.Min(Settings.M.Fallback, dim), k = body.K ?? Settings.Codewords.Fallback;
        if (body.Seed < 0 || body.Threads < 1)
        {
            return new Problem(
                ProblemCode.InvalidArgument, "seed, threads", $"{body.Seed}, {body.Threads}", $"{Settings.Seed.Expected}, {Settings.Threads.Expected}", "Mend the numbers.");
        }

        ulong seed = (ulong)(body.Seed ?? Settings.Seed.Fallback);
        return kind == QuantizerKind.Rpq
            ? new RpqMethod(Apply(profile == RpqProfile.Best ? RpqOptions.Best : RpqOptions.Faithful, body.Steps, body.TrainingQueries, body.RotatedDim) with { M = m, K = k, Seed = seed })
            : new VectorQuantizerMethod(kind, new QuantizerOptions { M = m, K = k, Seed = seed });
    }

    /// <summary><paramref name="profile"/> with what a run changes; null: as it is. What makes no steps stays without.</summary>
    public static RpqOptions Apply(RpqOptions profile, int? steps, int? trainingQueries, int? rotatedDim) => profile with
    {
        Steps = steps >= 0 && profile.Steps > 0 ? steps.Value : profile.Steps,
        RotatedDim = rotatedDim ?? Settings.RotatedDim.Fallback,
        Sampling = profile.Sampling with { Queries = trainingQueries ?? Settings.TrainingQueries.Fallback },
    };

    private static object? Read<T>(Setting<T> setting, string? word) => word is null ? setting.Fallback : setting.Read(word);

    private static Problem Unknown(string what, string got, Setting setting) => new(ProblemCode.InvalidArgument, what, got, setting.Expected, "Choose one of these.");
}
