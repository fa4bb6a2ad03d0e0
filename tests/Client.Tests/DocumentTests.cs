using Microsoft.Extensions.DependencyInjection;
using Signpost.Silo.Tests.Support;

namespace Signpost.Client.Tests;

/// <summary>What docs/client.md says is so.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class DocumentTests(DemoCollection demo, ServerProcess server) : IClassFixture<ServerProcess>
{
    private static readonly string Page = File.ReadAllText(Repository.At("docs", "client.md"));

    [Fact]
    public void The_example_is_that_of_the_page()
    {
        string code = File.ReadAllText(Repository.At("tests", "Client.Tests", "Example.cs")).Replace("namespace Signpost.Client.Tests;\n\n", "");
        Assert.Contains($"```csharp\n{code}```\n", Page);
    }

    [Fact]
    public async Task The_example_works()
    {
        float[][] vectors = demo.QueryVectors(3);
        var services = new ServiceCollection();
        Example.AddTo(services, server.Url);
        await using ServiceProvider provider = services.BuildServiceProvider();
        SignpostClient client = provider.GetRequiredService<SignpostClient>();
        Assert.Equal(5, (await Example.NearestAsync(server.Url, "demo", vectors[0])).Length);
        Assert.Equal(3, await Example.CountAsync(client, vectors));
        Assert.Equal("all shards answered", await Example.TellAsync(client, "demo", vectors[0], CancellationToken.None));
        Assert.StartsWith("WrongDimension: got 2 components, expected 16.", await Example.TellAsync(client, "demo", [1, 2], CancellationToken.None));
    }

    [Theory]
    [InlineData(typeof(SignpostClientOptions))]
    [InlineData(typeof(SearchOptions))]
    [InlineData(typeof(SignpostErrorKind))]
    public void The_page_names_every_option_and_every_kind_of_error(Type type)
    {
        IEnumerable<string> names = type.IsEnum ? Enum.GetNames(type) : type.GetProperties().Select(property => property.Name);
        Assert.All(names, name => Assert.Contains($"`{name}`", Page));
    }

    [Fact]
    public void The_page_tells_the_defaults()
    {
        var options = new SignpostClientOptions();
        foreach ((string name, TimeSpan time) in new[]
        {
            ("Timeout", options.Timeout), ("SiloTimeout", options.SiloTimeout), ("ConnectTimeout", options.ConnectTimeout), ("Rest", options.Rest),
            ("RefreshEvery", options.RefreshEvery),
        })
        {
            Assert.Contains($"| `{name}` | {time.TotalSeconds:0} s |", Page);
        }

        Assert.Contains($"| `Retries` | {options.Retries} |", Page);
    }
}
