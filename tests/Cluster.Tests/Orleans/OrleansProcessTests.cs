using Signpost.Client;
using Signpost.Cluster.Tests.Processes;
using Signpost.Silo;
using Signpost.Silo.Tests.Security;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Orleans;

/// <summary>What only silos of Orleans do. What all runtimes survive is in <see cref="FailoverTests"/>.</summary>
public sealed class OrleansProcessTests(DemoCollection demo) : IClassFixture<DemoCollection>
{
    [RedisFact]
    public async Task A_silo_that_was_declared_dead_while_it_was_frozen_ends_with_a_code_of_its_own()
    {
        using var redis = new RedisServer();
        using var cluster = new SiloCluster(3, demo.Root, $"127.0.0.1:{redis.Port}", runtime: "orleans");
        await cluster.UntilWholeAsync("silo-1");

        cluster.Signal("silo-2", SiloCluster.Freeze);
        await cluster.UntilAsync("silo-1", _ => Members(redis).Contains("\"Status\":6", StringComparison.Ordinal), "Orleans has declared silo-2 dead");
        cluster.Signal("silo-2", SiloCluster.Thaw);

        Assert.Equal(ExitCodes.Evicted, cluster.End("silo-2").ExitCode);
        Assert.Contains("declared it dead", cluster.ErrorOf("silo-2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_without_a_Redis_is_alone_and_answers()
    {
        using var cluster = new SiloCluster(1, demo.Root, "none", runtime: "orleans");
        await cluster.UntilWholeAsync("silo-1", copies: 1);

        SearchResult result = await cluster.Client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { RequireFull = true });

        Assert.Equal(10, result.Hits.Length);
        Assert.Equal("orleans", (await cluster.AskAsync("silo-1")).Runtime);
        Assert.Equal(0, cluster.Stop("silo-1").ExitCode);
    }

    [RedisFact]
    public async Task A_silo_with_a_good_certificate_and_another_secret_does_not_come_in()
    {
        using var redis = new RedisServer();
        using var authority = new TestAuthority();
        using var folder = new TestFolder();
        File.WriteAllText(folder.At("ca.pem"), authority.Pem);
        authority.Write(folder.At("silo.pem"), folder.At("silo.key"));
        using var cluster = new SiloCluster(
            2, demo.Root, $"127.0.0.1:{redis.Port}", Words, options: () => new SignpostClientOptions { CaFile = folder.At("ca.pem") }, runtime: "orleans");
        await cluster.UntilWholeAsync("silo-1");

        cluster.Knock("silo-3");
        await cluster.UntilAsync("silo-1", _ => cluster.ErrorOf("silo-3").Contains("does not know the secret", StringComparison.Ordinal), "silo-3 is told why");

        Assert.Contains("does not know the secret", cluster.ErrorOf("silo-1") + cluster.ErrorOf("silo-2"), StringComparison.Ordinal);
        Assert.Equal(["silo-1", "silo-2"], (await cluster.AskAsync("silo-1")).Silos.Select(silo => silo.Name).Order());

        string[] Words(string silo)
        {
            string secret = folder.At(silo == "silo-3" ? "other" : "secret");
            File.WriteAllText(secret, new string(silo == "silo-3" ? 'o' : 's', 40));
            return ["--certificate", folder.At("silo.pem"), "--certificate-key", folder.At("silo.key"), "--ca", folder.At("ca.pem"), "--peer-secret", secret];
        }
    }

    private static string Members(RedisServer redis)
    {
        string key = redis.Call("KEYS", "signpost:*:orleans").Items![0].Text!;
        return string.Join('\n', redis.Call("HVALS", key).Items!.Select(row => row.Text));
    }
}
