namespace Signpost.Silo.Peers;

/// <summary>Where a silo answers others. The messages have a version of their own; the paths change when HTTP is used in another way.</summary>
internal static class PeerPaths
{
    public const string Search = "/peer/v1/search";
    public const string Sample = "/peer/v1/sample";
    public const string Trace = "/peer/v1/trace";
    public const string EndTraces = "/peer/v1/end-traces";
    public const string PrepareCodes = "/peer/v1/prepare-codes";
    public const string DropCodes = "/peer/v1/drop-codes";
}
