using System.Net;
using Amazon.Runtime;

namespace Signpost.Silo.S3;

/// <summary>
/// Whether a server of the S3 protocol refuses a write whose condition (<c>If-None-Match</c>, <c>If-Match</c>) does not hold: some know nothing of
/// conditions and write, so it is tried, once, on an object of its own, which stays. Thread-safe.
/// </summary>
/// <param name="store">The bucket.</param>
/// <param name="key">The object.</param>
internal sealed class S3Conditions(S3SegmentStore store, string key)
{
    private static readonly byte[] Content = "Here it is tried whether this server honours conditions of writes.\n"u8.ToArray();

    private readonly Lock _lock = new();
    private bool? _hold;

    /// <summary>Whether it does.</summary>
    /// <exception cref="IOException">The server cannot be asked.</exception>
    public bool Hold(CancellationToken cancel)
    {
        lock (_lock)
        {
            return _hold ??= Try(cancel);
        }
    }

    private bool Try(CancellationToken cancel)
    {
        try
        {
            store.TryPut(key, Content, null, cancel); // it is there now, or was before
            return !store.TryPut(key, Content, null, cancel) && !store.TryPut(key, Content, "\"00000000000000000000000000000000\"", cancel);
        }
        catch (IOException e) when (e.InnerException is AmazonServiceException { StatusCode: HttpStatusCode.NotImplemented or HttpStatusCode.BadRequest })
        {
            return false; // it says that it does not
        }
    }
}
