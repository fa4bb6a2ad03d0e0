using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Signpost.Engine.Search;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

/// <summary>What the documents tell people to type works as it stands there.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class DocumentTests(DemoCollection demo) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [BashFact]
    public void The_five_minutes_of_the_readme_work_as_written()
    {
        // The demo's 100,000 vectors are for people; everything else is as it stands there.
        string output = RunBlocks("README.md", text => text.Replace("demo --folder", "demo --count 1000 --folder"));
        Assert.Contains("recall@10", output);
        Assert.Contains("built mine: 1,000 vectors of dim 128", output);
        Assert.Contains("curves: demo-data/curves.html", output);
        Assert.Contains("\"hits\":[{\"id\":", output);
        Assert.True(File.Exists(_folder.At("demo-data", "curves.html")));
    }

    [BashFact]
    public void The_examples_of_the_http_api_work_as_written()
    {
        string output = RunBlocks("docs/http.md", text => text);
        Assert.Contains("\"status\":\"ready\"", output);
        Assert.Contains("\"status\":\"ok\",\"hits\":[{", output);
        Assert.Contains("\"code\":\"WrongDimension\"", output);
        Assert.Contains("\"runtime\":\"embedded\"", output);
        byte[] bare = File.ReadAllBytes(_folder.At("answer.bin"));
        Assert.Equal(8 + (3 * (8 + 4)), bare.Length);
        byte[] ids = bare[8..(8 + (3 * 8))];
        byte[] message = File.ReadAllBytes(_folder.At("answer.msgpack"));
        int block = message.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xC4, 3 * 12]) + 2;
        Assert.Equal(ids, Enumerable.Range(0, 3).SelectMany(i => message[(block + (i * 12))..(block + (i * 12) + 8)]));
    }

    [Fact]
    public void The_example_in_csharp_is_that_of_the_readme_and_finds_what_search_finds()
    {
        string code = File.ReadAllText(Repository.At("tests", "Silo.Tests", "Example.cs")).Replace("namespace Signpost.Silo.Tests;\n\n", "");
        Assert.Contains($"```csharp\n{code}```\n", File.ReadAllText(Repository.At("README.md")));

        Example.Build(demo.Base, _folder.At("mine"));
        Hit[] hits = Example.Nearest(_folder.At("mine"), demo.QueryVectors(1)[0], 5);
        Run run = SignpostProcess.Run(_folder, "search", "--collection", "mine", "--queries", demo.Queries, "--k", "5", "--json");
        JsonElement first = JsonDocument.Parse(run.Output).RootElement.GetProperty("results")[0];
        Assert.Equal(first.GetProperty("ids").EnumerateArray().Select(id => id.GetUInt64()), hits.Select(h => h.Id));
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("ARCHITECTURE.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("docs/http.md")]
    [InlineData("docs/client.md")]
    [InlineData("docs/operations.md")]
    [InlineData("docs/formats.md")]
    [InlineData("docs/algorithms.md")]
    public void Links_lead_to_files(string document)
    {
        string folder = Path.GetDirectoryName(Repository.At(document))!;
        foreach (string link in File.ReadAllText(Repository.At(document)).Split("](").Skip(1).Select(rest => rest.Split(')', '#')[0]))
        {
            bool isElsewhere = link.Length == 0 || link.StartsWith("http", StringComparison.Ordinal);
            Assert.True(isElsewhere || Path.Exists(Path.Combine(folder, link)), $"{document}: {link}");
        }
    }

    /// <summary>Runs the blocks marked sh, one after the other in one shell, with the program as ./signpost and a free port for 7700.</summary>
    private string RunBlocks(string document, Func<string, string> smaller)
    {
        File.WriteAllText(_folder.At("signpost"), $"#!/usr/bin/env bash\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "signpost.dll")}' \"$@\"\n");
        string port = FreePort();
        string script = smaller(Blocks(File.ReadAllText(Repository.At(document))))
            .Replace(":7700", $":{port}")
            .Replace("./signpost serve", $"./signpost serve --url http://127.0.0.1:{port}");
        File.WriteAllText(_folder.At("script"), $"set -euo pipefail\nchmod +x signpost\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}\nwait\n");
        Run run = SignpostProcess.RunOther("bash", _folder, "script");
        Assert.True(run.ExitCode == 0, $"{document} ended with {run.ExitCode}:\n{run.Output}\n{run.Error}");
        return run.Output;
    }

    private static string Blocks(string markdown) =>
        string.Join('\n', markdown.Split("```sh\n").Skip(1).Select(rest => rest[..rest.IndexOf("```", StringComparison.Ordinal)]));

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"{((IPEndPoint)listener.LocalEndpoint).Port}";
    }
}
