namespace Signpost.Client.Wire;

/// <summary>What both ends of the HTTP API must agree on before anything else.</summary>
internal static class Api
{
    /// <summary>Header with the version of the API, in every request of this client and every answer of a silo.</summary>
    public const string VersionHeader = "Signpost-Api";

    /// <summary>The version; it rises when an old client would misunderstand a new silo, or the other way round.</summary>
    public const string Version = "1";
}
