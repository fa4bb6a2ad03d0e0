using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Signpost.Client;
using Signpost.Cluster.Tests.Processes;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Deploy;
using Signpost.Silo.Tests.Security;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Security;

/// <summary>A cluster of real processes with TLS, keys, a peer secret and a Redis with a password; and what of these is seen outside.</summary>
public sealed class SecureClusterTests(DemoCollection demo) : IClassFixture<DemoCollection>, IDisposable
{
    private const string Password = "redis-password-of-the-test";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task Three_silos_with_tls_keys_and_a_secret_answer_a_client_and_keep_their_secrets(string runtime)
    {
        using var authority = new TestAuthority();
        using var redis = RedisServer.With("--requirepass", Password);
        string key = ApiKeys.NewKey(), secret = ApiKeys.NewKey();
        File.WriteAllText(_folder.At("ca.pem"), authority.Pem);
        File.WriteAllText(_folder.At("keys"), ApiKeys.Line(Role.Read, "test", key));
        File.WriteAllText(_folder.At("secret"), secret);
        using var cluster = new SiloCluster(
            3, demo.Root, $"127.0.0.1:{redis.Port},password={Password}", silo => Words(authority, silo),
            options: () => new SignpostClientOptions { ApiKey = key, CaFile = _folder.At("ca.pem") }, runtime: runtime);
        await cluster.UntilWholeAsync("silo-1");

        for (int i = 0; i < 9; i++)
        {
            SearchResult result = await cluster.Client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { RequireFull = true });
            Assert.Equal((10, true), (result.Hits.Length, result.Coverage.IsFull));
        }

        ClusterInfo seen = await cluster.AskAsync("silo-2");
        Assert.All(seen.Silos, silo => Assert.StartsWith("https://127.0.0.1:", silo.Url, StringComparison.Ordinal));
        await RefusedAsync(cluster, null);
        await RefusedAsync(cluster, ApiKeys.NewKey());
        Run shown = SignpostProcess.Run(_folder, "cluster", "--url", cluster.Url("silo-1"), "--ca", "ca.pem", "--key-file", "key", "--json");
        Assert.Equal(2, shown.ExitCode); // there is no such file
        File.WriteAllText(_folder.At("key"), key);
        shown = SignpostProcess.Run(_folder, "cluster", "--url", cluster.Url("silo-1"), "--ca", "ca.pem", "--key-file", "key", "--json");
        Assert.Equal(0, shown.ExitCode);

        redis.Kill(); // failures are told, and tell nothing
        await cluster.UntilAsync("silo-1", _ => cluster.ErrorOf("silo-1").Contains("Redis", StringComparison.Ordinal), "the silo tells that Redis is gone");
        string said = string.Join('\n', cluster.Names.Select(cluster.ErrorOf)) + shown.Output + shown.Error + string.Join('\n', seen.Silos);
        Assert.All((string[])[key, secret, Password], hidden => Assert.DoesNotContain(hidden, said, StringComparison.Ordinal));
    }

    /// <summary>The line that Kubernetes runs before it stops a pod, as it stands in deploy/, with the places of this test.</summary>
    [RedisFact]
    public async Task What_a_pod_runs_before_it_stops_drains_its_silo_with_tls_and_a_key()
    {
        using var authority = new TestAuthority();
        using var redis = new RedisServer();
        string admin = ApiKeys.NewKey(), reader = ApiKeys.NewKey();
        File.WriteAllText(_folder.At("ca.pem"), authority.Pem);
        File.WriteAllLines(_folder.At("keys"), [ApiKeys.Line(Role.Admin, "operator", admin), ApiKeys.Line(Role.Read, "application", reader)]);
        File.WriteAllText(_folder.At("secret"), ApiKeys.NewKey());
        File.WriteAllText(_folder.At("admin-key"), admin);
        File.WriteAllText(_folder.At("read-key"), reader);
        using var cluster = new SiloCluster(
            3, demo.Root, $"127.0.0.1:{redis.Port}", silo => Words(authority, silo), options: () => new SignpostClientOptions { ApiKey = reader, CaFile = _folder.At("ca.pem") });
        await cluster.UntilWholeAsync("silo-2");
        await using var queries = new SteadyQueries(cluster.Client, "demo", demo.QueryVectors(20), 30, new SearchOptions { RequireFull = true });
        await queries.MoreAsync(20);

        Run refused = Run(PreStop(cluster.Url("silo-1"), "read-key"));
        Assert.Equal(2, refused.ExitCode); // the key of an application drains nothing
        Run drained = Run(PreStop(cluster.Url("silo-1"), "admin-key"));

        Assert.True(drained.ExitCode == 0, drained.Error);
        Assert.Equal(0, cluster.EndOf("silo-1").ExitCode);
        await cluster.UntilWholeAsync("silo-2", 2, "silo-1");
        Run split = Run(["split", "demo", "0", "--store", demo.Root, "--url", cluster.Url("silo-2"), "--ca", _folder.At("ca.pem"), "--key-file", _folder.At("read-key"), "--json"]);
        Assert.True(split.ExitCode == 0, split.Error); // waiting for silos to turn needs a key that may look
        await queries.MoreAsync(20);
        Assert.Empty(queries.Failures);
        Assert.Equal(0, queries.Partial);

        Run Run(string[] words) => SignpostProcess.Run(_folder, words);

        string[] PreStop(string url, string key) =>
        [
            .. DeployFiles.Read("kubernetes", "silos.yaml").SelectMany(document => document.List("spec.template.spec.containers")).Single().Texts("lifecycle.preStop.exec.command").Skip(1)
                .Select(word => word.Replace("https://localhost:7700", url, StringComparison.Ordinal).Replace("/etc/signpost/tls/ca.crt", _folder.At("ca.pem"), StringComparison.Ordinal)
                    .Replace("/etc/signpost/secrets/admin-key", _folder.At(key), StringComparison.Ordinal)),
        ];
    }

    [RedisFact]
    public void Up_shows_the_password_of_redis_to_nobody()
    {
        using var redis = RedisServer.With("--requirepass", Password);
        using var up = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet")
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["SIGNPOST_REDIS"] = $"127.0.0.1:{redis.Port},password={Password}", ["SIGNPOST_STOP_WITH_INPUT"] = "1" },
            },
        };
        foreach (string word in (string[])[Path.Combine(AppContext.BaseDirectory, "signpost.dll"), "up", "--silos", "2", "--collection", demo.Collection, "--port", $"{UpTests.FreePorts(2)}", "--threads", "1", "--json", "--quiet"])
        {
            up.StartInfo.ArgumentList.Add(word);
        }

        up.Start();
        Task<string> error = up.StandardError.ReadToEndAsync();
        string output = "";
        while (!output.EndsWith("\n}\n", StringComparison.Ordinal))
        {
            output += (up.StandardOutput.ReadLine() ?? throw new InvalidOperationException(error.Result)) + "\n";
        }

        string[] commands = [.. Directory.EnumerateDirectories("/proc").Select(CommandOf).Where(command => command.Contains("--silo", StringComparison.Ordinal))];
        up.StandardInput.Close();
        up.WaitForExit();

        Assert.Contains($"127.0.0.1:{redis.Port}", output, StringComparison.Ordinal);
        Assert.True(commands.Length >= 2, "the silos were seen");
        Assert.DoesNotContain(Password, output + error.Result + string.Concat(commands), StringComparison.Ordinal);
    }

    private string[] Words(TestAuthority authority, string silo)
    {
        (string certificate, string certificateKey) = (_folder.At($"{silo}.pem"), _folder.At($"{silo}.key"));
        authority.Write(certificate, certificateKey);
        return
        [
            "--certificate", certificate, "--certificate-key", certificateKey, "--ca", _folder.At("ca.pem"), "--keys", _folder.At("keys"),
            "--peer-secret", _folder.At("secret"), "--peer-client-certificate", "required",
        ];
    }

    private static async Task RefusedAsync(SiloCluster cluster, string? key)
    {
        using var http = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator });
        http.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri(new Uri(cluster.Url("silo-3")), "/v1/cluster"))).StatusCode);
    }

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
