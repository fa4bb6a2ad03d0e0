using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Silo.S3;

/// <summary>The store that an address names.</summary>
internal static class SegmentStores
{
    /// <summary>A directory, or <c>s3://BUCKET/PREFIX</c>. To be disposed where it can be.</summary>
    /// <param name="address">The address.</param>
    /// <param name="endpoint">Server of the bucket; null: AWS.</param>
    /// <param name="region">Region that requests are signed for.</param>
    /// <param name="credentialsFile">File with a [default] profile; null: what the environment gives.</param>
    public static ISegmentStore Open(string address, string? endpoint, string region, string? credentialsFile)
    {
        if (!address.StartsWith(S3Options.Scheme, StringComparison.Ordinal))
        {
            return address.Contains("://", StringComparison.Ordinal)
                ? throw Refused("store", address, $"a directory or {S3Options.Scheme}BUCKET/PREFIX")
                : new DirectorySegmentStore(FileDisk.Instance, address);
        }

        Uri? server = null;
        if (endpoint is not null && !(Uri.TryCreate(endpoint, UriKind.Absolute, out server) && server.Scheme is "http" or "https"))
        {
            throw Refused("s3-endpoint", endpoint, "http://HOST:PORT or https://HOST:PORT");
        }

        S3Options options = S3Options.Parse(address) ?? throw Refused("store", address, $"{S3Options.Scheme}BUCKET/PREFIX");
        return new S3SegmentStore(options with { Endpoint = server, Region = region, CredentialsFile = credentialsFile });
    }

    private static ProblemException Refused(string what, string got, string expected) =>
        new(new Problem(ProblemCode.InvalidArgument, what, got, expected, "Mend the address."));
}
