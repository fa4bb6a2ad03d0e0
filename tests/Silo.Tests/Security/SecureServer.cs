using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Signpost.Client;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Security;

/// <summary>A server of the demo's collection with a certificate of an authority of its own and a key of each role.</summary>
public sealed class SecureServer : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly SignpostProcess _process;

    public SecureServer(DemoCollection demo)
        : this(demo, _ => { }, "--request-mib-max", "1")
    {
    }

    /// <param name="demo">What it serves.</param>
    /// <param name="prepare">Changes its files before it starts.</param>
    /// <param name="more">More words for serve.</param>
    internal SecureServer(DemoCollection demo, Action<SecureServer> prepare, params string[] more)
    {
        File.WriteAllText(Authorities, Authority.Pem);
        Authority.Write(Certificate, CertificateKey);
        File.WriteAllLines(KeysFile, ["# keys of a test", .. Keys.Select(key => ApiKeys.Line(key.Key, $"test-{key.Key}", key.Value))]);
        prepare(this);
        _process = SignpostProcess.Start(
            _folder,
            [
                "serve", "--collection", demo.Collection, "--url", "https://127.0.0.1:0", "--threads", "2", "--quiet", "--certificate", Certificate,
                "--certificate-key", CertificateKey, "--keys", KeysFile, .. more,
            ]);
        Url = new Uri(_process.FirstLine().Split(" at ")[1]);
    }

    public Uri Url { get; }

    internal TestAuthority Authority { get; } = new();

    internal Dictionary<Role, string> Keys { get; } = Enum.GetValues<Role>().ToDictionary(role => role, _ => ApiKeys.NewKey());

    internal string Authorities => _folder.At("ca.pem");

    internal string Certificate => _folder.At("certificate.pem");

    internal string CertificateKey => _folder.At("key.pem");

    internal string KeysFile => _folder.At("keys");

    /// <summary>All that it has said.</summary>
    internal string Said => _process.Output + _process.Error;

    /// <summary>What asks with a key of a role; null: with none.</summary>
    internal HttpClient Http(Role? role = null)
    {
        var http = new HttpClient(new SocketsHttpHandler { SslOptions = Trust.ForClient(Trust.Load(Authorities)) }) { BaseAddress = Url };
        if (role is not null)
        {
            http.DefaultRequestHeaders.Authorization = new("Bearer", Keys[role.Value]);
        }

        return http;
    }

    /// <summary>What applications use, with a key of a role.</summary>
    internal SignpostClient Client(Role role = Role.Read, string? authorities = null, string? url = null) => new(
        new SignpostClientOptions { Addresses = [url ?? Url.ToString()], ApiKey = Keys[role], CaFile = authorities ?? Authorities, Retries = 0 });

    /// <summary>A bare connection.</summary>
    internal async Task<SslStream> ConnectAsync()
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(Url.Host, Url.Port);
        var tls = new SslStream(socket.GetStream());
        SslClientAuthenticationOptions how = Trust.ForClient(Trust.Load(Authorities));
        how.TargetHost = Url.Host;
        await tls.AuthenticateAsClientAsync(how);
        return tls;
    }

    /// <summary>What is answered to the bytes of <paramref name="request"/>, until the server closes the connection.</summary>
    internal async Task<string> AnswerAsync(string request)
    {
        await using SslStream tls = await ConnectAsync();
        await tls.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(tls);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>The thumbprint of the certificate that a new connection is shown.</summary>
    internal async Task<string> ShownAsync()
    {
        await using SslStream tls = await ConnectAsync();
        return ((X509Certificate2)tls.RemoteCertificate!).Thumbprint;
    }

    /// <summary>Waits until <paramref name="holds"/>.</summary>
    internal static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        for (DateTime end = DateTime.UtcNow.AddSeconds(60); !await holds(); await Task.Delay(50))
        {
            Assert.True(DateTime.UtcNow < end, $"not within a minute: {what}");
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        Authority.Dispose();
        _folder.Dispose();
    }
}
