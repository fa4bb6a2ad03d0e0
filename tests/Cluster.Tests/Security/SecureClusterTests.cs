using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Signpost.Client;
using Signpost.Cluster.Tests.Processes;
using Signpost.Silo.Security;
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
            3, demo.Root, $"127.0.0.1:{redis.Port},password={Password}", Words,
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

        string[] Words(string silo)
        {
            (string certificate, string certificateKey) = (_folder.At($"{silo}.pem"), _folder.At($"{silo}.key"));
            authority.Write(certificate, certificateKey);
            return
            [
                "--certificate", certificate, "--certificate-key", certificateKey, "--ca", _folder.At("ca.pem"), "--keys", _folder.At("keys"),
                "--peer-secret", _folder.At("secret"), "--peer-client-certificate", "required",
            ];
        }
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
