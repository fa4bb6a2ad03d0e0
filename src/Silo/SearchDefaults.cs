using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Silo.Http;

namespace Signpost.Silo;

/// <summary>How to search where nobody says otherwise.</summary>
internal sealed record SearchDefaults(int K, int L, ModeChoice Mode, int Rerank)
{
    /// <summary>
    /// The search that is asked for, each value from the caller or from here. A pool that nobody asked for grows to k; a depth that nobody
    /// asked for shrinks to it.
    /// </summary>
    public Outcome<SearchParameters> Resolve(IServedCollection collection, int? k = null, int? l = null, ModeChoice? mode = null, int? rerank = null)
    {
        int wanted = k ?? K;
        int pool = l ?? Math.Max(L, wanted);
        if (Outside(Settings.K, wanted) is { } wrongK)
        {
            return wrongK;
        }

        if (Outside(Settings.L, pool) is { } wrongL)
        {
            return wrongL;
        }

        SearchMode walk = (mode ?? Mode) switch
        {
            ModeChoice.Auto => collection.HasCodes ? SearchMode.CodesRerank : SearchMode.Exact,
            ModeChoice.Exact => SearchMode.Exact,
            ModeChoice.Codes => SearchMode.Codes,
            ModeChoice.CodesRerank => SearchMode.CodesRerank,
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "unknown mode"),
        };
        int depth = walk != SearchMode.CodesRerank ? 0 : rerank ?? (Rerank == 0 ? 0 : Math.Clamp(Rerank, wanted, Math.Max(wanted, pool)));
        var parameters = new SearchParameters(wanted, pool, walk, depth);
        return collection.Validate(parameters) is { } problem ? problem : parameters;
    }

    private static Problem? Outside(Setting setting, int value) => setting.Read(SettingKinds.Show(value)) is null
        ? new Problem(ProblemCode.InvalidArgument, setting.Name, SettingKinds.Show(value), setting.Expected, "Choose a value in the range.")
        : null;
}
