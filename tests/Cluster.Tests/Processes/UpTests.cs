using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Signpost.Client;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary><c>signpost up</c> and <c>signpost cluster</c>, as people use them.</summary>
public sealed class UpTests(DemoCollection demo) : IClassFixture<DemoCollection>
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task Up_starts_a_cluster_that_answers_and_ends_all_of_it_when_asked_to(string runtime)
    {
        using SignpostProcess up = Start(out JsonElement report, runtime);
        string[] urls = [.. report.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("url").GetString()!)];
        await using (var client = new SignpostClient(new SignpostClientOptions { Addresses = urls }))
        {
            SearchResult result = await client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { RequireFull = true });
            Assert.Equal((10, true), (result.Hits.Length, result.Coverage.IsFull));
        }

        Run table = SignpostProcess.Run(demo.Root, "cluster", "--url", urls[1]);
        Assert.Contains("2 of 2 shards whole", table.Output, StringComparison.Ordinal);
        Run json = SignpostProcess.Run(demo.Root, "cluster", "--url", urls[1], "--json");
        Assert.Equal(3, JsonDocument.Parse(json.Output).RootElement.GetProperty("silos").GetArrayLength());

        up.Signal(SignpostProcess.Terminate);
        Assert.Equal(0, up.End().ExitCode);
        await AllEndAsync(report);
    }

    [RedisFact]
    public async Task Nothing_is_left_behind_when_up_is_killed()
    {
        using SignpostProcess up = Start(out JsonElement report);

        up.Signal(SiloCluster.Kill);

        await AllEndAsync(report);
    }

    [Fact]
    public void Without_the_program_up_says_what_to_install()
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "signpost.dll"), "up", "--collection", demo.Collection])
        {
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = "/nowhere";
        start.FileName = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath! : "dotnet";
        using Process up = Process.Start(start)!;

        Assert.Contains("redis-server", up.StandardError.ReadToEnd(), StringComparison.Ordinal);
        up.WaitForExit();
        Assert.Equal(2, up.ExitCode);
    }

    /// <summary>Starts three silos and waits until they are whole.</summary>
    private SignpostProcess Start(out JsonElement report, string runtime = "redis")
    {
        SignpostProcess up = SignpostProcess.Start(
            demo.Root, "up", "--runtime", runtime, "--silos", "3", "--collection", demo.Collection, "--port", $"{FreePorts(3)}", "--threads", "1", "--json", "--quiet");
        long start = Stopwatch.GetTimestamp();
        while (!up.Output.TrimEnd().EndsWith("\n}", StringComparison.Ordinal))
        {
            Assert.True(up.IsRunning && Stopwatch.GetElapsedTime(start) < Longest, $"it did not start: {up.Output} {up.Error}");
            Thread.Sleep(50);
        }

        report = JsonDocument.Parse(up.Output).RootElement;
        return up;
    }

    /// <summary>The first of <paramref name="count"/> ports in a row that nobody has.</summary>
    internal static int FreePorts(int count)
    {
        for (int port = 20_000 + (Environment.ProcessId % 10_000); ; port += count)
        {
            TcpListener[] probes = [.. Enumerable.Range(port, count).Select(p => new TcpListener(IPAddress.Loopback, p))];
            try
            {
                Array.ForEach(probes, probe => probe.Start());
                return port;
            }
            catch (SocketException)
            {
                // The next ones.
            }
            finally
            {
                Array.ForEach(probes, probe => probe.Dispose());
            }
        }
    }

    /// <summary>Waits until the silos have ended, and Redis answers no more.</summary>
    private static async Task AllEndAsync(JsonElement report)
    {
        int[] processes = [.. report.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("process_id").GetInt32())];
        int redis = int.Parse(report.GetProperty("redis").GetString()!.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
        long start = Stopwatch.GetTimestamp();
        while (processes.Any(IsAlive) || Answers(redis))
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Longest, "something is left behind");
            await Task.Delay(100);
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using Process found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool Answers(int port)
    {
        using var socket = new TcpClient();
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
