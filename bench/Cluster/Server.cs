using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Signpost.Bench.Cluster;

/// <summary>Several of them, ended together.</summary>
internal sealed class Servers(IEnumerable<Server> servers) : IDisposable
{
    public IReadOnlyList<Server> All { get; } = [.. servers];

    public void Dispose()
    {
        foreach (Server server in All)
        {
            server.Dispose();
        }
    }
}

/// <summary>The program, serving: one process, or a cluster of them that `signpost up` has started. Ends with this one.</summary>
internal sealed class Server : IDisposable
{
    private readonly Process _process;

    private Server(string name, Process process, string[] urls, (string Name, int Id)[] silos)
    {
        (Name, _process, Urls, Silos) = (name, process, urls, silos);
    }

    /// <summary>What a caller needs to be let in; null: nothing.</summary>
    public Secrets? Secrets { get; private init; }

    /// <summary>The runtime.</summary>
    public string Name { get; }

    /// <summary>Where to ask.</summary>
    public string[] Urls { get; }

    /// <summary>The processes that search.</summary>
    public (string Name, int Id)[] Silos { get; }

    /// <summary>Processor time of all of them so far, seconds.</summary>
    public double CpuSeconds => Silos.Sum(silo => CpuOf(silo.Id));

    /// <summary>One process that has all shards.</summary>
    public static Server Embedded(string program, string collection, int threads, Secrets? secrets = null)
    {
        Process process = Start(
            program,
            [
                "serve", "--collection", collection, "--url", $"{(secrets is null ? "http" : "https")}://127.0.0.1:0", "--threads", $"{threads}", "--quiet",
                .. secrets?.Words ?? [],
            ]);
        string line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the embedded server did not start");
        return new Server(secrets is null ? "embedded" : "with TLS and keys", process, [line.Split(" at ")[1]], [("alone", process.Id)]) { Secrets = secrets };
    }

    /// <summary>Name of the cluster, and where its Redis answers; null for a process that is alone.</summary>
    public (string Name, string Redis)? Of { get; private init; }

    /// <summary>Silos with two copies of each shard, on the ports from <paramref name="port"/>.</summary>
    public static Server Cluster(string program, string collection, int silos, int threads, string runtime = "redis", int port = 7790, string? caches = null)
    {
        Process process = Start(
            program,
            [
                "up", "--runtime", runtime, "--silos", $"{silos}", "--collection", collection, "--threads", $"{threads}", "--port", $"{port}", "--json", "--quiet",
                .. caches is null ? Array.Empty<string>() : ["--cache", caches],
            ]);
        var text = new StringBuilder();
        for (string? line = ""; line != "}"; text.Append(line))
        {
            line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the cluster did not start");
        }

        using JsonDocument report = JsonDocument.Parse(text.ToString());
        JsonElement[] all = [.. report.RootElement.GetProperty("silos").EnumerateArray()];
        return new Server(
            runtime, process, [.. all.Select(silo => silo.GetProperty("url").GetString()!)],
            [.. all.Select(silo => (silo.GetProperty("name").GetString()!, silo.GetProperty("process_id").GetInt32()))])
        {
            Of = (report.RootElement.GetProperty("cluster").GetString()!, report.RootElement.GetProperty("redis").GetString()!),
        };
    }

    /// <summary>One more silo of <paramref name="cluster"/>.</summary>
    public static Server Join(string program, string collection, Server cluster, string name, int threads, string caches)
    {
        string folder = Path.GetFullPath(Path.TrimEndingDirectorySeparator(collection));
        Process process = Start(
            program, "serve", "--runtime", "redis", "--cluster", cluster.Of!.Value.Name, "--redis", cluster.Of!.Value.Redis, "--silo", name, "--store",
            Path.GetDirectoryName(folder)!, "--collection", Path.GetFileName(folder), "--url", "http://127.0.0.1:0", "--peer-url", "http://127.0.0.1:0", "--threads",
            $"{threads}", "--cache", Path.Combine(caches, name), "--quiet");
        string line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the silo did not start");
        return new Server(name, process, [line.Split(" at ")[1]], [(name, process.Id)]);
    }

    /// <summary>Runs a command to its end.</summary>
    public static void Run(string program, params string[] words)
    {
        using Process process = Start(program, words);
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', words)}: exit code {process.ExitCode}");
        }
    }

    /// <summary>Sends a signal to one of its processes.</summary>
    public void Signal(string silo, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{Silos.Single(s => s.Name == silo).Id}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static Process Start(string program, params string[] words)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["SIGNPOST_STOP_WITH_INPUT"] = "1"; // nothing is left behind when this process ends
        start.ArgumentList.Add(program);
        Array.ForEach(words, start.ArgumentList.Add);
        return Process.Start(start)!;
    }

    /// <summary>From /proc: user and system time, in ticks of 10 ms.</summary>
    private static double CpuOf(int process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
        }
        catch (IOException)
        {
            return 0; // it has ended
        }
    }
}
