namespace Signpost.Silo.Tests.Support;

/// <summary>A server of the demo's collection on a free port of this machine, with small limits.</summary>
public sealed class ServerProcess : IDisposable
{
    private readonly SignpostProcess _process;

    public ServerProcess(DemoCollection demo)
        : this(demo.Root, demo.Collection)
    {
    }

    private ServerProcess(string folder, string collection)
    {
        _process = SignpostProcess.Start(
            folder, "serve", "--collection", collection, "--url", "http://127.0.0.1:0", "--threads", "2", "--request-mib-max", "1",
            "--batch-max", "200",
            "--queue-max", "150", "--quiet");
        Http = new HttpClient { BaseAddress = new Uri(_process.FirstLine().Split(" at ")[1]) };
    }

    public HttpClient Http { get; }

    /// <summary>Where it listens.</summary>
    public string Url => Http.BaseAddress!.ToString();

    /// <summary>What the server has logged.</summary>
    public string Error => _process.Error;

    /// <summary>A server of another collection.</summary>
    public static ServerProcess Of(string collection) => new(Path.GetDirectoryName(collection)!, collection);

    /// <summary>Ends the server at once (SIGKILL).</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks the server to end as an operator does, and waits.</summary>
    internal Run Stop()
    {
        _process.Signal(SignpostProcess.Terminate);
        return _process.End();
    }

    public void Dispose()
    {
        Http.Dispose();
        _process.Dispose();
    }
}
