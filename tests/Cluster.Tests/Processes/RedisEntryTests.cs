using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Entering Redis: passwords, users, TLS, and what is not Redis. A password is in no message.</summary>
public sealed class RedisEntryTests
{
    private const string Secret = "s3cret-of-the-test";

    private static CancellationToken Never => CancellationToken.None;

    [RedisFact]
    public async Task A_password_opens_and_a_wrong_one_or_none_is_refused_without_being_named()
    {
        using var server = RedisServer.With("--requirepass", Secret, "--user", "silo", "on", $">{Secret}2", "~*", "&*", "+@all");

        Assert.NotEmpty(await IdentityAsync(server.Options with { Password = Secret }));
        Assert.NotEmpty(await IdentityAsync(server.Options with { User = "silo", Password = Secret + "2" }));
        await RefusedAsync(server.Options, "NOAUTH");
        await RefusedAsync(server.Options with { Password = Secret + "3" }, "WRONGPASS");
        await RefusedAsync(server.Options with { User = "nobody", Password = Secret }, "WRONGPASS");
    }

    [RedisFact]
    public async Task A_database_other_than_the_first_can_be_used()
    {
        using var server = new RedisServer();
        await IdentityAsync(server.Options with { Database = 3 });

        Assert.Equal("db3", server.Call("INFO", "keyspace").Text!.Split('\n')[1].Split(':')[0]);
        await RefusedAsync(server.Options with { Database = 99 }, "DB index is out of range");
    }

    [RedisFact]
    public async Task Tls_is_spoken_and_a_certificate_that_is_not_trusted_is_refused()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=redis.test", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("redis.test");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 known = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string folder = Directory.CreateTempSubdirectory("signpost-tls-").FullName;
        string key = Path.Combine(folder, "key.pem"), certificate = Path.Combine(folder, "certificate.pem");
        File.WriteAllText(key, rsa.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificate, known.ExportCertificatePem());
        string tlsPort = $"{RedisServer.FreePort()}";
        using var server = RedisServer.With("--tls-port", tlsPort, "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no");
        RedisOptions options = server.Options with { Port = int.Parse(tlsPort), Tls = true, TlsHost = "redis.test" };
        var trust = Trust.Load(certificate);
        Directory.Delete(folder, recursive: true);

        using var silos = Silos.Of(server);
        RedisClusterState state = silos.Add(options with { Authorities = trust });
        await using var watcher = new Watcher(state);
        await silos.Add().TryWriteAsync(Signpost.Engine.Tests.Cluster.TestMaps.Map(2000), null, Never);
        await watcher.Until(map => map.Version == 1);

        await RefusedAsync(options, "certificate");
        await RefusedAsync(options with { Authorities = trust, TlsHost = "other.test" }, "RemoteCertificateNameMismatch");
        await RefusedAsync(server.Impatient with { Tls = true }, "cannot be reached"); // there, TLS is not spoken
    }

    [Fact]
    public async Task What_does_not_speak_the_protocol_is_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var thread = new Thread(() =>
        {
            try
            {
                while (true)
                {
                    using Socket socket = listener.AcceptSocket();
                    socket.Send("HTTP/1.1 400 Bad Request\r\n\r\n"u8);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // the end of the test
            }
        })
        { IsBackground = true };
        thread.Start();

        await RefusedAsync(new RedisOptions { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port }, "does not speak Redis' protocol");
    }

    [Fact]
    public async Task A_name_without_an_address_is_told() =>
        await RefusedAsync(new RedisOptions { Host = "redis.invalid" }, "redis.invalid:6379");

    [Theory]
    [InlineData("redis", "redis", 6379)]
    [InlineData("redis:7000", "redis", 7000)]
    [InlineData("[::1]:7000,ssl=true", "::1", 7000)]
    [InlineData("::1", "::1", 6379)]
    [InlineData("10.0.0.1:1, name = silo , syncTimeout=700,abortConnect=false,defaultDatabase=2,", "10.0.0.1", 1)]
    public void The_usual_text_is_read(string text, string host, int port)
    {
        RedisOptions options = RedisOptions.Parse(text).OrThrow();

        Assert.Equal((host, port), (options.Host, options.Port));
        Assert.Equal(text.Contains("ssl", StringComparison.Ordinal), options.Tls);
        Assert.Equal(text.Contains("name", StringComparison.Ordinal) ? ("silo", 2, 700) : ("signpost", 0, 1500), (options.ClientName, options.Database, options.Timeout.TotalMilliseconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":6379")]
    [InlineData("redis:0")]
    [InlineData("redis:65536")]
    [InlineData("redis:x")]
    [InlineData("password=" + Secret)]
    [InlineData("redis,other:6379")]
    [InlineData("redis,ssl=yes,password=" + Secret)]
    [InlineData("redis,pasword=" + Secret)]
    [InlineData("redis,password=a," + Secret)]
    [InlineData("redis,password=a," + Secret + "=b")]
    [InlineData("redis,syncTimeout=0")]
    [InlineData("redis,defaultDatabase=-1")]
    [InlineData("redis,name=two words")]
    public void Another_text_is_refused_and_not_quoted(string text)
    {
        Problem? problem = RedisOptions.Parse(text).Problem;

        Assert.Equal(ProblemCode.InvalidArgument, problem?.Code);
        Assert.DoesNotContain(Secret, problem!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_is_not_in_the_text_of_the_options() =>
        Assert.Equal("redis:6379", RedisOptions.Parse($"redis,password={Secret}").OrThrow().ToString());

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a}")]
    [InlineData("a\n")]
    public void A_cluster_needs_a_name_that_fits_into_keys(string name) =>
        Assert.Throws<ProblemException>(() => new RedisClusterState(new RedisOptions { Host = "redis" }, name));

    private static async Task<string> IdentityAsync(RedisOptions options)
    {
        using var state = new RedisClusterState(options, "test");
        return await state.IdentityAsync(Never);
    }

    private static async Task RefusedAsync(RedisOptions options, string why)
    {
        using var state = new RedisClusterState(options, "test");
        RedisException e = await Assert.ThrowsAsync<RedisException>(() => state.IdentityAsync(Never).Long());
        Assert.Contains(why, e.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Secret, e.ToString(), StringComparison.Ordinal);
    }
}
