using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Silo.Http;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cli;

/// <summary>What the commands of an operator ask: a silo of a cluster about itself.</summary>
internal sealed class AdminCalls : IDisposable
{
    /// <summary>What a command that asks needs to be told, beside its own settings.</summary>
    public static readonly Setting[] Settings = [Silo.Settings.AskedUrl, SecuritySettings.KeyFile, SecuritySettings.Authorities];

    private readonly Session _session;
    private readonly HttpClient _http;
    private SignpostClient _client;

    /// <param name="session">Says whom to ask, and with which key.</param>
    /// <param name="url">The silo to ask where it is another setting that says so.</param>
    public AdminCalls(Session session, string? url = null)
    {
        _session = session;
        Url = url ?? session.Get(Silo.Settings.AskedUrl)!;
        _client = Guard.ClientOf(session, Url);
        _http = Guard.HttpOf(session);
        _http.Timeout = TimeSpan.FromSeconds(30);
        Cluster = Look();
    }

    /// <summary>The silo that was named to be asked.</summary>
    public string Url { get; }

    /// <summary>The cluster as it was last seen.</summary>
    public ClusterInfo Cluster { get; private set; }

    private CancellationToken Cancel => _session.Cancel;

    /// <summary>Asks any silo but <paramref name="butNot"/> for the cluster, all of whose silos may be asked from now on.</summary>
    public ClusterInfo Look(string? butNot = null)
    {
        Cluster = _client.GetClusterAsync(Cancel).GetAwaiter().GetResult();
        string[] urls = [.. Cluster.Silos.Where(silo => silo.Name != butNot).Select(silo => silo.Url)];
        if (Cluster.Runtime != "embedded" && urls.Length > 0)
        {
            _client.Dispose();
            _client = Guard.ClientOf(_session, urls);
        }

        return Cluster;
    }

    /// <summary>The silo of a name.</summary>
    public SiloInfo SiloOf(string? name) => Cluster.Silos.FirstOrDefault(silo => silo.Name == name) ?? throw new ProblemException(new Problem(
        ProblemCode.NotFound, "silo", name ?? "none", string.Join(", ", Cluster.Silos.Select(silo => silo.Name)), "Name one of these."));

    /// <summary>Asks the silo at <paramref name="url"/>.</summary>
    public TReply Post<TBody, TReply>(string url, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TReply> replyType)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        try
        {
            using HttpResponseMessage response = _http.PostAsync(new Uri(new Uri(url), path), content, Cancel).GetAwaiter().GetResult();
            byte[] answer = response.Content.ReadAsByteArrayAsync(Cancel).GetAwaiter().GetResult();
            return response.IsSuccessStatusCode
                ? JsonSerializer.Deserialize(answer, replyType)!
                : throw new ProblemException(ProblemOf(JsonSerializer.Deserialize(answer, Wire.Json.ProblemReply)!));
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new IOException($"{url}{path}: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _http.Dispose();
    }

    private static Problem ProblemOf(ProblemReply reply) => new(
        Enum.TryParse(reply.Code, out ProblemCode code) ? code : ProblemCode.InvalidArgument,
        reply.Title.EndsWith(" refused", StringComparison.Ordinal) ? reply.Title[..^" refused".Length] : reply.Title, reply.Got, reply.Expected, reply.Mend);
}
