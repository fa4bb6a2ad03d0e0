using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Signpost.Cluster.Tests.Security;
using Signpost.Silo.Orleans;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Security;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Orleans;

/// <summary>Over real sockets: who lacks the certificate or the secret never comes to speak to Orleans.</summary>
public sealed class PeerSocketsTests : IAsyncLifetime
{
    private const string Https = "https";
    private static readonly string Secret = new('s', 40);

    private readonly TestFolder _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _other = new();
    private readonly List<IConnectionListener> _listeners = [];
    private readonly ConcurrentQueue<string> _said = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (IConnectionListener listener in _listeners)
        {
            await listener.DisposeAsync();
        }

        _authority.Dispose();
        _other.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Https, true, true)]
    [InlineData(Https, true, false)]
    [InlineData(Https, false, false)]
    [InlineData("http", true, false)]
    [InlineData("http", false, false)]
    public async Task What_one_silo_writes_the_other_one_reads(string scheme, bool hasSecret, bool mutual)
    {
        string? secret = hasSecret ? Secret : null;
        IConnectionListener listener = await ListenAsync(Security("a", secret, mutual: mutual), scheme);

        await using ConnectionContext asking = await ConnectAsync(listener, Security("b", secret, "silo-b"), scheme);
        await using ConnectionContext? asked = await listener.AcceptAsync();

        foreach ((ConnectionContext from, ConnectionContext to) in new[] { (asking, asked!), (asked!, asking) })
        {
            byte[] sent = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31))];
            ValueTask<System.IO.Pipelines.FlushResult> writing = from.Transport.Output.WriteAsync(sent);
            System.IO.Pipelines.ReadResult read = await to.Transport.Input.ReadAtLeastAsync(sent.Length);
            await writing;
            Assert.Equal(sent, System.Buffers.BuffersExtensions.ToArray(read.Buffer));
            to.Transport.Input.AdvanceTo(read.Buffer.End);
        }
    }

    [Theory]
    [InlineData("127.0.0.1", -1, true, "NotTimeValid")]
    [InlineData("other-silo", 5, true, "RemoteCertificateNameMismatch")]
    [InlineData("127.0.0.1", 5, false, "PartialChain")]
    public async Task A_silo_whose_certificate_cannot_be_trusted_is_told_no_secret(string host, int days, bool isKnown, string why)
    {
        IConnectionListener listener = await ListenAsync(Security("a", Secret, host, days, by: isKnown ? null : _other));

        Assert.Contains(why, await RefusedAsync(listener, Security("b", Secret)), StringComparison.Ordinal);
        Assert.Contains(_said, line => line.Contains(why, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_name_in_a_certificate_is_the_host_that_Orleans_has_of_the_silo()
    {
        IConnectionListener listener = await ListenAsync(Security("a", Secret, "silo-a"));

        await using ConnectionContext asking = await ConnectAsync(listener, Security("b", Secret), host: "silo-a");

        Assert.NotNull(await listener.AcceptAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("another secret of at least 32 characters")]
    public async Task A_silo_without_the_secret_or_with_another_one_is_refused_and_others_are_not(string? secret)
    {
        IConnectionListener listener = await ListenAsync(Security("a", Secret));

        string refusal = await RefusedAsync(listener, Security("b", secret?.Replace(' ', '-')));

        Assert.Contains("security.peer_secret", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain(_said, line => line.Contains(Secret, StringComparison.Ordinal));
        await using ConnectionContext asking = await ConnectAsync(listener, Security("c", $"{Secret}\nnewer-{Secret}"));
        Assert.Equal(asking.LocalEndPoint, (await listener.AcceptAsync())!.RemoteEndPoint); // the first one that came in
    }

    [Fact]
    public async Task A_silo_without_a_certificate_is_refused_where_one_is_required()
    {
        IConnectionListener listener = await ListenAsync(Security("a", Secret, mutual: true));

        await RefusedAsync(listener, Security("b", Secret, hasCertificate: false));
        await RefusedAsync(listener, Security("c", Secret, by: _other));
        await RefusedAsync(listener, Security("d", Secret, days: -1));

        await using ConnectionContext asking = await ConnectAsync(listener, Security("e", Secret));
        Assert.Equal(asking.LocalEndPoint, (await listener.AcceptAsync())!.RemoteEndPoint);
    }

    [Fact]
    public async Task In_clear_the_secret_goes_to_no_other_machine()
    {
        var sockets = new PeerSockets("http", Security("a", Secret), _ => "silo-b.example", _said.Enqueue);

        IOException refusal = await Assert.ThrowsAsync<IOException>(() => sockets.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 1), default).AsTask());

        Assert.Contains("over https alone", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listener_that_is_unbound_has_nobody_more_to_hand_on()
    {
        IConnectionListener listener = await ListenAsync(PeerSecurity.None, "http");
        ValueTask<ConnectionContext?> accepting = listener.AcceptAsync();

        await listener.UnbindAsync();

        Assert.Null(await accepting);
    }

    private PeerSecurity Security(
        string name, string? secret, string host = "127.0.0.1", int days = 5, TestAuthority? by = null, bool mutual = false, bool hasCertificate = true) =>
        SecurityFiles.Of(_folder.At(name), _authority, secret, host, days, by, mutual, hasCertificate);

    private async Task<IConnectionListener> ListenAsync(PeerSecurity security, string scheme = Https)
    {
        IConnectionListener listener = await new PeerSockets(scheme, security, _ => null, _said.Enqueue).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        _listeners.Add(listener);
        return listener;
    }

    private Task<ConnectionContext> ConnectAsync(IConnectionListener listener, PeerSecurity security, string scheme = Https, string? host = null) =>
        new PeerSockets(scheme, security, _ => host, _said.Enqueue).ConnectAsync(listener.EndPoint, default).AsTask();

    private async Task<string> RefusedAsync(IConnectionListener listener, PeerSecurity security) =>
        (await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(listener, security))).ToString();
}
