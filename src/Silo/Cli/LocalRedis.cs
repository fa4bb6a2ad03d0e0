using System.Net;
using System.Net.Sockets;
using Signpost.Engine.Base;

namespace Signpost.Silo.Cli;

/// <summary>A Redis of this process' own, on this machine, in memory, gone with it: for trying a cluster out.</summary>
internal sealed class LocalRedis : IDisposable
{
    private const string Program = "redis-server";

    /// <summary>Redis itself does not notice that its parent is gone; a shell that waits for the end of its input does.</summary>
    private const string Shell = "\"$@\" & redis=$!; cat > /dev/null; kill $redis; wait $redis";

    private readonly ChildProcess _process;

    /// <summary>Starts it; refused where the program is not installed.</summary>
    public LocalRedis(Action<string> say)
    {
        string file = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, Program)).FirstOrDefault(File.Exists)
            ?? throw new ProblemException(new Problem(
                ProblemCode.NotFound, Program, "no such program on this machine", "a Redis that the silos agree through",
                "Install it (Debian: redis-server), or name one that runs with --redis HOST:PORT."));
        int port = FreePort();
        Address = $"127.0.0.1:{port}";
        _process = new ChildProcess(
            Program, "/bin/sh", ["-c", Shell, "sh", file, "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath()], say);
    }

    /// <summary>Where it answers.</summary>
    public string Address { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.End(TimeSpan.FromSeconds(5));
        _process.Dispose();
    }

    /// <summary>A port of this machine that nobody has at this moment.</summary>
    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
