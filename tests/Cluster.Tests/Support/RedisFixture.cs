namespace Signpost.Cluster.Tests.Support;

/// <summary>One Redis for the tests of a class, started by the first that needs it: not where all are skipped.</summary>
public sealed class RedisFixture : IDisposable
{
    private readonly Lazy<RedisServer> _server = new(() => new RedisServer());

    public RedisServer Server => _server.Value;

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }
    }
}
