using Microsoft.Extensions.DependencyInjection;

namespace Signpost.Client.Tests;

public class OptionsTests
{
    [Fact]
    public void Every_problem_with_the_options_is_told_at_once()
    {
        var options = new SignpostClientOptions
        {
            Addresses = ["http://fine:7700", "fine:7700", "ftp://x", "http://x/?q"],
            Timeout = TimeSpan.Zero,
            SiloTimeout = TimeSpan.FromDays(2),
            ConnectTimeout = TimeSpan.FromSeconds(-1),
            RefreshEvery = TimeSpan.Zero,
            Rest = TimeSpan.FromSeconds(-1),
            Retries = 21,
            ApiKey = "two words",
            CaFile = "/nowhere.pem",
            Handler = new SocketsHttpHandler(),
        };
        string[] lines = Assert.Throws<ArgumentException>(() => new SignpostClient(options)).Message.Split('\n');
        Assert.Equal(
            ["Addresses[1]", "Addresses[2]", "Addresses[3]", "Retries", "Timeout", "SiloTimeout", "ConnectTimeout", "RefreshEvery", "Rest", "ApiKey", "CaFile", "CaFile"],
            lines[1..].Select(line => line.Trim().Split(':')[0]));
        Assert.All(lines[1..], line => Assert.Matches("got .*, expected ", line));
        Assert.DoesNotContain(options.ApiKey, string.Concat(lines), StringComparison.Ordinal);
    }

    [Fact]
    public void At_least_one_address_is_needed() =>
        Assert.Contains("Addresses: got none", Assert.Throws<ArgumentException>(() => new SignpostClient(new SignpostClientOptions())).Message);

    [Theory]
    [InlineData("http://127.0.0.1:7700", "http://127.0.0.1:7700/")]
    [InlineData("https://proxy/signpost", "https://proxy/signpost/")]
    [InlineData("http://[::1]:7700/", "http://[::1]:7700/")]
    public void An_address_may_have_a_path(string text, string address) => Assert.Equal(new Uri(address), SignpostClientOptions.SiloAddress(text));

    [Fact]
    public async Task One_line_adds_one_client_to_an_application()
    {
        var services = new ServiceCollection();
        services.AddSignpost(o => o.Addresses = ["http://127.0.0.1:7700"]);
        SignpostClient client;
        await using (ServiceProvider provider = services.BuildServiceProvider())
        {
            client = provider.GetRequiredService<SignpostClient>();
            Assert.Same(client, provider.GetRequiredService<SignpostClient>());
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetClusterAsync());
    }

    [Fact]
    public void Options_that_cannot_be_used_are_refused_when_the_client_is_added() =>
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddSignpost(o => o.Addresses = ["x"]));
}
