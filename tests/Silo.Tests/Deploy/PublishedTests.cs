using System.Text.Json;
using System.Text.RegularExpressions;
using Signpost.Client;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Deploy;

/// <summary>The program as the image has it: published by the Dockerfile's own line, from the files that it copies, and started by its own words.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed partial class PublishedTests(DemoCollection demo) : IDisposable
{
    private static readonly string[] Lines = File.ReadAllLines(DeployFiles.At("Dockerfile"));

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [LongFact]
    [Trait("Long", "true")]
    public async Task The_published_program_serves_a_collection_as_the_image_starts_it()
    {
        foreach (string source in After("COPY ").Where(line => !line.Contains("--from", StringComparison.Ordinal)).SelectMany(line => line.Split(' ')[..^1]))
        {
            Copy(Repository.At(source), _folder.At("source", source));
        }

        string[] publish = [.. After("RUN ").Single().Split(" && ")[0].Split(' ').Select(word => word == "/app" ? _folder.At("app") : word)];
        using SignpostProcess publishing = SignpostProcess.StartOther(publish[0], _folder.At("source"), [.. publish[1..], "-p:Orleans=false", "-v", "quiet"]);
        Run published = publishing.End(TimeSpan.FromMinutes(10));
        Assert.True(published.ExitCode == 0, published.Output + published.Error);
        Copy(demo.Collection, _folder.At("data", "demo"));

        string program = Words("ENTRYPOINT ").Single().Replace("/app", _folder.At("app"), StringComparison.Ordinal);
        string[] words = [.. Words("CMD ").Select(word => word == "/data" ? _folder.At("data") : Port().Replace(word, "http://127.0.0.1:0"))];
        using SignpostProcess server = SignpostProcess.StartOther(program, _folder, words);
        using var client = new SignpostClient(new SignpostClientOptions { Addresses = [server.FirstLine().Split(" at ")[1]] });

        SearchResult result = await client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { K = 5, RequireFull = true });
        Assert.Equal(demo.Truth(demo.QueryVectors(1), 1)[0][0], (int)result.Hits[0].Id);
        server.Signal(SignpostProcess.Terminate);
        Assert.Equal(0, server.End().ExitCode);
    }

    private static IEnumerable<string> After(string instruction) => Lines.Where(line => line.StartsWith(instruction, StringComparison.Ordinal)).Select(line => line[instruction.Length..]);

    private static string[] Words(string instruction) => JsonSerializer.Deserialize<string[]>(After(instruction).Single())!;

    private static void Copy(string from, string to)
    {
        if (File.Exists(from))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to);
            return;
        }

        foreach (string path in Directory.EnumerateFileSystemEntries(from).Where(path => Path.GetFileName(path) is not ("bin" or "obj")))
        {
            Copy(path, Path.Combine(to, Path.GetFileName(path)));
        }
    }

    [GeneratedRegex("^http://0\\.0\\.0\\.0:[0-9]+$")]
    private static partial Regex Port();
}
