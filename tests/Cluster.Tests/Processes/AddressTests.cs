using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Engine.Base;
using Signpost.Silo.Cluster;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>What a silo says of where it is.</summary>
public sealed class AddressTests(DemoCollection demo) : IClassFixture<DemoCollection>
{
    [Theory]
    [InlineData("http://127.0.0.1:7700", null, "http://127.0.0.1:7700")]
    [InlineData("http://10.1.2.3:7700/", "silo-1.example", "http://silo-1.example:7700")]
    [InlineData("http://0.0.0.0:7700", "10.1.2.3", "http://10.1.2.3:7700")]
    [InlineData("http://[::]:80", "fe80::1", "http://[fe80::1]")]
    public void Others_are_told_the_host_that_is_advertised_or_the_address_itself(string listening, string? host, string told) =>
        Assert.Equal(new Uri(told), new Uri(Advertised.Of(listening, host)));

    [Theory]
    [InlineData("http://0.0.0.0:7700")]
    [InlineData("http://[::]:7700")]
    public void Every_network_is_told_as_the_name_of_the_machine(string listening) =>
        Assert.Equal($"{System.Net.Dns.GetHostName()}:7700", new Uri(Advertised.Of(listening, null)).Authority, ignoreCase: true);

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("silo:7700")]
    public void What_is_no_host_is_refused(string host) =>
        Assert.Contains("--advertise-host", Assert.Throws<ProblemException>(() => Advertised.Of("http://0.0.0.0:7700", host)).Message);

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task Silos_that_listen_on_every_network_find_each_other_by_the_host_that_they_advertise(string runtime)
    {
        using var redis = new RedisServer();
        using var cluster = new SiloCluster(2, demo.Root, $"127.0.0.1:{redis.Port}", _ => ["--advertise-host", "localhost", "--replicas", "1"], "0.0.0.0", runtime: runtime);
        await cluster.UntilWholeAsync("silo-1", copies: 1);

        ClusterInfo info = await cluster.AskAsync("silo-1");
        Assert.All(info.Silos, silo => Assert.Equal("localhost", new Uri(silo.Url).Host));
        foreach (float[] vector in demo.QueryVectors(5))
        {
            Assert.Equal(10, (await cluster.Client.SearchAsync("demo", vector, new SearchOptions { RequireFull = true })).Hits.Length);
        }
    }
}
