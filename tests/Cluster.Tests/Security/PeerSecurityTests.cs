using Signpost.Client;
using Signpost.Cluster.Tests.Peers;
using Signpost.Engine.Cluster;
using Signpost.Silo.Peers;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Security;

namespace Signpost.Cluster.Tests.Security;

/// <summary>Silos ask each other over TLS and show a secret: who lacks one of them is refused, and the shards are not asked.</summary>
public sealed class PeerSecurityTests : PeerTest
{
    private static readonly string Secret = new('s', 40);

    private readonly TestAuthority _authority = new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _authority.Dispose();
    }

    [Fact]
    public async Task Silos_with_certificates_and_the_secret_answer_each_other_and_ask_no_others()
    {
        PeerSecurity security = Security("a", Secret, host: "127.0.0.1", mutual: true);
        await using PeerSilo silo = await StartAsync(security);

        Assert.Equal("https", silo.Address.Scheme);
        Assert.Equal(10, (await AskAsync(silo, security)).Hits.Length);
        Assert.Equal(10, (await AskAsync(silo, Security("b", $"{Secret}\nold-{Secret}", "silo-b", mutual: true))).Hits.Length); // its own certificate is for another name
    }

    [Fact]
    public async Task A_silo_without_the_secret_or_with_another_one_is_refused()
    {
        await using PeerSilo silo = await StartAsync(Security("a", Secret));

        Assert.Contains("Signpost-Peer-Secret", await RefusedAsync(silo, Security("b", null)), StringComparison.Ordinal);
        string refusal = await RefusedAsync(silo, Security("c", "x" + Secret));
        Assert.Contains("security.peer_secret", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, refusal, StringComparison.Ordinal);
        Assert.Equal(10, (await AskAsync(silo, Security("d", Secret))).Hits.Length);
    }

    [Theory]
    [InlineData("127.0.0.1", 5, true, "")]
    [InlineData("127.0.0.1", -1, true, "NotTimeValid")]
    [InlineData("other-silo", 5, true, "RemoteCertificateNameMismatch")]
    [InlineData("127.0.0.1", 5, false, "PartialChain")]
    public async Task A_silo_whose_certificate_cannot_be_trusted_is_told_no_secret(string host, int days, bool isKnown, string why)
    {
        using var other = new TestAuthority();
        await using PeerSilo silo = await StartAsync(Security("a", Secret, host, days, by: isKnown ? null : other));

        PeerSecurity asking = Security("b", Secret);
        if (why.Length > 0)
        {
            Assert.Contains(why, await RefusedAsync(silo, asking), StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(10, (await AskAsync(silo, asking)).Hits.Length);
        }
    }

    [Fact]
    public async Task A_silo_without_a_certificate_is_refused_where_one_is_required()
    {
        await using PeerSilo silo = await StartAsync(Security("a", Secret, mutual: true));
        using var other = new TestAuthority();

        await RefusedAsync(silo, Security("b", Secret, hasCertificate: false));
        await RefusedAsync(silo, Security("c", Secret, by: other));
        await RefusedAsync(silo, Security("d", Secret, days: -1));
        Assert.Equal(10, (await AskAsync(silo, Security("e", Secret))).Hits.Length);
    }

    [Fact]
    public async Task The_secret_is_sent_to_no_address_where_others_could_read_it()
    {
        using var client = new RemoteShardClient(_ => new Uri("http://10.255.255.1:1"), Limits, Security("a", Secret));

        Assert.Contains("over https alone", await FailureAsync(() => SearchAsync(client, Silo.Id)), StringComparison.Ordinal);
    }

    private PeerSecurity Security(
        string name, string? secret, string host = "127.0.0.1", int days = 5, TestAuthority? by = null, bool mutual = false, bool hasCertificate = true) =>
        SecurityFiles.Of(Path.Combine(Root, name), _authority, secret, host, days, by, mutual, hasCertificate);

    private Task<PeerSilo> StartAsync(PeerSecurity security) =>
        PeerSilo.StartAsync("b", asked => asked == "test" ? Collection : null, Limits, url: "https://127.0.0.1:0", security: security);

    private async Task<ShardAnswer> AskAsync(PeerSilo silo, PeerSecurity security)
    {
        using var client = new RemoteShardClient(_ => silo.Address, Limits, security);
        return await SearchAsync(client, silo.Id);
    }

    /// <summary>Why the silo, which answers shards of nobody else, did not answer.</summary>
    private async Task<string> RefusedAsync(PeerSilo silo, PeerSecurity security) =>
        (await Assert.ThrowsAsync<IOException>(() => AskAsync(silo, security))).Message;
}
