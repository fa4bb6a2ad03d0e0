using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Support;

/// <summary>A real redis-server on a free port of this machine, with its data in a folder of its own. Ends with the test.</summary>
/// <remarks>It always comes back on the same port. Without more options it keeps nothing over a restart but what <see cref="Save"/> wrote.</remarks>
public sealed partial class RedisServer : IDisposable
{
    private const int Continue = 18;
    private const int Pause = 19;

    private readonly string _folder = Directory.CreateTempSubdirectory("signpost-redis-").FullName;
    private readonly string[] _options;
    private Process? _process;

    /// <summary>Starts it.</summary>
    public RedisServer()
        : this([])
    {
    }

    private RedisServer(string[] options)
    {
        _options = options;
        Port = FreePort();
        Start();
    }

    /// <summary>Where it listens. Calls have a long time limit, so that a busy machine fails no test.</summary>
    public RedisOptions Options => new() { Host = "127.0.0.1", Port = Port, Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>The same for tests in which calls are to fail.</summary>
    public RedisOptions Impatient => Options with { Timeout = TimeSpan.FromMilliseconds(200) };

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>One that keeps every write that it has answered.</summary>
    public static RedisServer Durable() => new(["--appendonly", "yes", "--appendfsync", "always"]);

    /// <summary>One with more options, such as <c>--requirepass</c>.</summary>
    public static RedisServer With(params string[] options) => new(options);

    /// <summary>A connection to it with a long time limit, and the answer of one command there.</summary>
    internal Reply Call(params ReadOnlySpan<Argument> command)
    {
        using var link = new RedisLink(Options) { Deadline = Deadline.After(TimeSpan.FromSeconds(30)) };
        return link.Call(command);
    }

    /// <summary>Starts it again and waits until it answers.</summary>
    public void Start()
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in (string[])["--port", $"{Port}", "--bind", "127.0.0.1", "--dir", _folder, "--save", "", .. _options])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        for (var end = Deadline.After(TimeSpan.FromSeconds(30)); !Answers();)
        {
            Assert.False(_process.HasExited || end.HasPassed, $"redis-server does not answer at port {Port}");
            Thread.Sleep(5);
        }
    }

    /// <summary>Ends it at once.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Ends it at once and starts it again.</summary>
    /// <param name="withoutData">Removes all that it had kept.</param>
    public void Restart(bool withoutData = false)
    {
        Kill();
        if (withoutData)
        {
            Directory.Delete(_folder, recursive: true);
            Directory.CreateDirectory(_folder);
        }

        Start();
    }

    /// <summary>Keeps what is there now for later restarts.</summary>
    public void Save() => Call("SAVE");

    /// <summary>Stops its process; connections to it stay and nothing answers.</summary>
    public void Freeze()
    {
        Assert.Equal(0, Signal(_process!.Id, Pause));
        while (!File.ReadAllText($"/proc/{_process.Id}/stat").Contains(") T ", StringComparison.Ordinal))
        {
            Thread.Sleep(1);
        }
    }

    /// <summary>Lets it go on.</summary>
    public void Thaw() => Assert.Equal(0, Signal(_process!.Id, Continue));

    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private bool Answers()
    {
        try
        {
            using var link = new RedisLink(Options) { Deadline = Deadline.After(TimeSpan.FromSeconds(5)) };
            link.Call("PING");
            return true;
        }
        catch (RedisException e)
        {
            return e.Message.Contains("NOAUTH", StringComparison.Ordinal) || e.Message.Contains("ERR Protocol", StringComparison.Ordinal);
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
