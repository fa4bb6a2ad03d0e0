using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Silo.Http;

/// <summary>What requests may ask for, and what they get where they do not ask.</summary>
internal sealed record SearchLimits
{
    /// <summary>k, l, mode, rerank of a request that does not say.</summary>
    public required SearchDefaults Defaults { get; init; }

    public required int TimeoutMs { get; init; }

    public required int TimeoutMsMax { get; init; }

    public required int BatchMax { get; init; }

    public required int QueueMax { get; init; }

    public required long RequestBytesMax { get; init; }

    /// <summary>The search that <paramref name="body"/> asks of <paramref name="collection"/>, or what is wrong with it.</summary>
    public Outcome<SearchRequest> Read(SearchBody body, IServedCollection collection, out TimeSpan timeout)
    {
        int timeoutMs = body.TimeoutMs ?? Math.Min(TimeoutMs, TimeoutMsMax);
        timeout = TimeSpan.FromMilliseconds(timeoutMs);
        if (timeoutMs < 1 || timeoutMs > TimeoutMsMax)
        {
            return Wrong("timeout_ms", $"{timeoutMs}", $"1 .. {TimeoutMsMax}");
        }

        if (body.Require is not (null or SearchFields.Partial or SearchFields.Full))
        {
            return Wrong("require", $"'{body.Require}'", $"{SearchFields.Partial} | {SearchFields.Full}");
        }

        ModeChoice? mode = body.Mode is null ? null : (ModeChoice?)Settings.Mode.Read(body.Mode);
        if (body.Mode is not null && mode is null)
        {
            return Wrong("mode", $"'{body.Mode}'", Settings.Mode.Expected);
        }

        Outcome<SearchParameters> parameters = Defaults.Resolve(collection, body.K, body.L, mode, body.Rerank);
        return parameters.Problem is { } problem ? problem : new SearchRequest(parameters.Value, body.Require == SearchFields.Full);
    }

    private static Problem Wrong(string what, string got, string expected) =>
        new(ProblemCode.InvalidArgument, what, got, expected, "Choose a value in the range, or leave it out.");
}
