namespace Signpost.Silo.Tests.Support;

/// <summary>A server of the demo's collection on a free port of this machine, with small limits.</summary>
public sealed class ServerProcess : IDisposable
{
    private readonly SignpostProcess _process;

    public ServerProcess(DemoCollection demo)
    {
        _process = SignpostProcess.Start(
            demo.Root, "serve", "--collection", demo.Collection, "--url", "http://127.0.0.1:0", "--threads", "2", "--request-mib-max", "1",
            "--batch-max", "200",
            "--queue-max", "150", "--quiet");
        Http = new HttpClient { BaseAddress = new Uri(_process.FirstLine().Split(" at ")[1]) };
    }

    public HttpClient Http { get; }

    /// <summary>What the server has logged.</summary>
    public string Error => _process.Error;

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
