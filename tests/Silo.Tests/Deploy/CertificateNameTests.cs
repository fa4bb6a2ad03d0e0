using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Signpost.Client;
using Signpost.Silo.Tests.Security;
using Signpost.Silo.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Signpost.Silo.Tests.Deploy;

/// <summary>The names that silos in Kubernetes are asked by, against the certificate that deploy/README.md tells to make: in real handshakes, as silos do them.</summary>
public sealed partial class CertificateNameTests : IDisposable
{
    private const string Namespace = "vectors", Pod = "signpost-2";

    private readonly TestAuthority _authority = new();
    private readonly TestFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task The_certificate_of_the_document_is_good_for_every_name_that_is_asked()
    {
        YamlMappingNode silos = DeployFiles.Read("kubernetes", "silos.yaml").Single();
        YamlNode silo = silos.List("spec.template.spec.containers").Single();
        string advertised = DeployFiles.AdvertisedHost(Pod, Namespace);
        Assert.Equal($"{Pod}.{silos.Text("spec.serviceName")}.{Namespace}.svc", advertised); // what Kubernetes' DNS calls it
        string drained = silo.Texts("lifecycle.preStop.exec.command").Single(word => word.StartsWith("--url=", StringComparison.Ordinal))[6..];
        string api = DeployFiles.Read("kubernetes", "services.yaml")
            .Single(o => o.Text("kind") == "Service" && o.Text("spec.clusterIP").Length == 0).Text("metadata.name");

        string document = File.ReadAllText(DeployFiles.At("README.md"));
        string[] names = [.. Quoted().Matches(Sentence().Match(document).Groups[1].Value).Select(match => match.Groups[1].Value.Replace("NAMESPACE", Namespace, StringComparison.Ordinal))];
        foreach (string asked in (string[])[advertised, new Uri(drained).Host, api, $"{api}.{Namespace}.svc"])
        {
            Assert.Null(await RefusalAsync(string.Join(',', names), asked));
        }

        Assert.Contains("RemoteCertificateNameMismatch", await RefusalAsync(string.Join(',', names), $"{Pod}.signpost.another.svc"), StringComparison.Ordinal);
    }

    /// <summary>Why the names are as long as they are.</summary>
    [Fact]
    public async Task A_star_before_a_single_word_is_good_for_no_silo() =>
        Assert.Contains("RemoteCertificateNameMismatch", await RefusalAsync("*.signpost", $"{Pod}.signpost"), StringComparison.Ordinal);

    /// <summary>What a silo that asks for <paramref name="host"/> says against a certificate for <paramref name="names"/>; null: nothing.</summary>
    private async Task<string?> RefusalAsync(string names, string host)
    {
        (string certificate, string key, string ca) = (_folder.At("tls.crt"), _folder.At("tls.key"), _folder.At("ca.crt"));
        _authority.Write(certificate, key, names);
        File.WriteAllText(ca, _authority.Pem);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ServeAsync(listener, certificate, key);
        using var socket = new TcpClient();
        await socket.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        await using var tls = new SslStream(socket.GetStream());
        SslClientAuthenticationOptions how = Trust.ForClient(Trust.Load(ca));
        how.TargetHost = host;
        string? refusal = null;
        try
        {
            await tls.AuthenticateAsClientAsync(how);
        }
        catch (AuthenticationException e)
        {
            refusal = e.Message;
        }

        tls.Close();
        await serving;
        return refusal;
    }

    private static async Task ServeAsync(TcpListener listener, string certificate, string key)
    {
        using TcpClient socket = await listener.AcceptTcpClientAsync();
        await using var tls = new SslStream(socket.GetStream());
        using var shown = X509Certificate2.CreateFromPemFile(certificate, key);
        try
        {
            await tls.AuthenticateAsServerAsync(shown);
            await tls.ReadExactlyAsync(new byte[1]);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // The client went away, with or without a refusal: it says which.
        }
    }

    [GeneratedRegex(@"must be good for (.*)\.\n")]
    private static partial Regex Sentence();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
