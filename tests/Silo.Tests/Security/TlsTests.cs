using System.Net.Security;
using System.Security.Authentication;
using Signpost.Client;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Security;

/// <summary>Certificates: which are taken by a client, and what a server does when its own changes.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class TlsTests(DemoCollection demo, SecureServer server) : IClassFixture<SecureServer>
{
    [Fact]
    public async Task A_client_that_trusts_the_authority_searches_over_https()
    {
        using SignpostClient client = server.Client();
        SearchResult result = await client.SearchAsync("demo", demo.QueryVectors(1)[0]);
        Assert.Equal(10, result.Hits.Length);
        Assert.StartsWith("https://", Assert.Single((await client.GetClusterAsync()).Silos).Url, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.2", SslProtocols.Tls12)]
    [InlineData("1.3", SslProtocols.Tls13)]
    public async Task Both_versions_of_tls_that_are_safe_are_spoken(string version, SslProtocols expected)
    {
        Run curl = SignpostProcess.RunOther(
            "curl", demo.Root, "-sv", "--tlsv" + version, "--tls-max", version, "--cacert", server.Authorities, new Uri(server.Url, "/health").ToString());
        Assert.Contains("\"ok\"", curl.Output, StringComparison.Ordinal);
        Assert.Contains($"TLSv{version}", curl.Error, StringComparison.Ordinal);
        await using SslStream newest = await server.ConnectAsync();
        Assert.True(newest.SslProtocol >= expected);
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_authority_is_refused()
    {
        using var other = new TestAuthority();
        using var folder = new TestFolder();
        File.WriteAllText(folder.At("other.pem"), other.Pem);
        await RefusedAsync(() => server.Client(authorities: folder.At("other.pem")), "PartialChain", "UntrustedRoot");
        using var system = new SignpostClient(new SignpostClientOptions { Addresses = [server.Url.ToString()], Retries = 0 });
        await RefusedAsync(() => system, "PartialChain", "UntrustedRoot");
    }

    [Fact]
    public Task A_certificate_of_another_host_is_refused() =>
        RefusedAsync(() => server.Client(url: $"https://localhost:{server.Url.Port}"), "RemoteCertificateNameMismatch");

    [Fact]
    public async Task A_certificate_that_has_ended_is_refused()
    {
        using var own = new SecureServer(demo, s => s.Authority.Write(s.Certificate, s.CertificateKey, days: -1));
        await RefusedAsync(() => own.Client(), "NotTimeValid");
        Assert.Contains("warning: the certificate ends at", own.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_answered_in_clear()
    {
        using var http = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync($"http://127.0.0.1:{server.Url.Port}/health"));
    }

    [Fact]
    public async Task A_certificate_that_is_renewed_is_shown_without_a_restart_and_a_damaged_one_is_not()
    {
        using var own = new SecureServer(demo, _ => { });
        using SignpostClient client = own.Client();
        string first = await own.ShownAsync();
        await client.GetClusterAsync();

        string second = own.Authority.Write(own.Certificate, own.CertificateKey);
        await SecureServer.UntilAsync(async () => await own.ShownAsync() == second, "the renewed certificate is shown");
        Assert.NotEqual(first, second);

        string third = own.Authority.Write(own.Certificate + ".new", own.CertificateKey + ".new");
        File.Copy(own.Certificate + ".new", own.Certificate, overwrite: true); // its key is not there yet
        await SecureServer.UntilAsync(async () =>
        {
            Assert.Equal(second, await own.ShownAsync());
            return own.Said.Contains("the old goes on", StringComparison.Ordinal);
        }, "the server tells that certificate and key do not fit");
        File.Copy(own.CertificateKey + ".new", own.CertificateKey, overwrite: true);
        await SecureServer.UntilAsync(async () => await own.ShownAsync() == third, "both are there");
        await client.GetClusterAsync(); // on the connection that it has had all the time
    }

    private static async Task RefusedAsync(Func<SignpostClient> make, params string[] why)
    {
        using SignpostClient client = make();
        SignpostException e = await Assert.ThrowsAsync<SignpostException>(() => client.GetClusterAsync());
        Assert.Equal(SignpostErrorKind.Unavailable, e.Kind);
        Assert.True(why.Any(word => e.Got.Contains(word, StringComparison.Ordinal)), e.Got);
    }
}
