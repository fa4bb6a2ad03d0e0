using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Signpost.Grains.Wire;
using Signpost.Silo.Http;
using Signpost.Silo.Security;

namespace Signpost.Silo.Peers;

/// <summary>
/// One message to another silo and its answer, over HTTP/2, with TLS where its address says so; one connection to each silo, used again and again. A connection
/// with requests is probed: one whose other end is frozen or gone fails all its requests within a few seconds.
/// </summary>
internal sealed class PeerHttp : IDisposable
{
    /// <summary>Most bytes of a refusal that are read.</summary>
    private const int RefusalBytes = 64 << 10;

    private static readonly MediaTypeHeaderValue ContentType = new(Message.ContentType);

    private readonly PeerSecurity _security;
    private readonly HttpMessageInvoker _invoker;

    /// <param name="security">How silos know each other.</param>
    public PeerHttp(PeerSecurity security)
    {
        _security = security;
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            KeepAlivePingDelay = TimeSpan.FromSeconds(1),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingTimeout = TimeSpan.FromSeconds(2),
            SslOptions = security.ForClient(),
            UseCookies = false,
            UseProxy = false,
        });
    }

    /// <summary>Posts <paramref name="message"/> and returns the answer.</summary>
    /// <param name="target">Address and path.</param>
    /// <param name="message">Not to be written until this has ended.</param>
    /// <param name="answerBytes">Most bytes of the answer.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="IOException">The silo cannot be reached, its connection broke, or it refuses; why.</exception>
    public async Task<byte[]> PostAsync(Uri target, ReadOnlyMemory<byte> message, int answerBytes, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, target)
            {
                Content = new ReadOnlyMemoryContent(message) { Headers = { ContentType = ContentType } },
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            _security.Sign(request);
            using HttpResponseMessage response = await _invoker.SendAsync(request, cancel).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new IOException(await RefusalAsync(response, cancel).ConfigureAwait(false));
            }

            return response.Content.Headers.ContentType?.MediaType == Message.ContentType
                ? await ReadAsync(response.Content, answerBytes, cancel).ConfigureAwait(false)
                : throw new IOException($"an answer of content type {response.Content.Headers.ContentType}: is another program at {target}?");
        }
        catch (HttpRequestException e)
        {
            throw new IOException(e.GetBaseException().Message, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _invoker.Dispose();

    private static async Task<byte[]> ReadAsync(HttpContent content, int most, CancellationToken cancel)
    {
        long length = content.Headers.ContentLength ?? throw new IOException("an answer without its length");
        if (length > most)
        {
            throw new IOException($"an answer of {length} bytes, at most {most} are taken");
        }

        byte[] answer = GC.AllocateUninitializedArray<byte>((int)length);
        Stream stream = await content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        await stream.ReadExactlyAsync(answer, cancel).ConfigureAwait(false);
        return await stream.ReadAsync(new byte[1], cancel).ConfigureAwait(false) == 0 ? answer : throw new IOException($"more than the {length} bytes of the answer");
    }

    private static async Task<string> RefusalAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        byte[] json = new byte[RefusalBytes];
        Stream stream = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        int length = await stream.ReadAtLeastAsync(json, json.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        try
        {
            ProblemReply reply = JsonSerializer.Deserialize(json.AsSpan(0, length), Wire.Json.ProblemReply)!;
            return $"{reply.Detail} {reply.Mend}";
        }
        catch (JsonException)
        {
            return $"status {(int)response.StatusCode}";
        }
    }
}
