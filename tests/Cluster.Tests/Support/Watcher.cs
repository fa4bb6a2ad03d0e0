using Signpost.Engine.Cluster;

namespace Signpost.Cluster.Tests.Support;

/// <summary>Watches a collection, and checks of each map that its version is above the one before.</summary>
internal sealed class Watcher : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _task;
    private volatile ShardMap? _last;

    public Watcher(IClusterState state, string collection = "test") => _task = Task.Run(() => WatchAsync(state, collection));

    /// <summary>The newest map that came; null before there is one.</summary>
    public ShardMap? Last => _last;

    /// <summary>Waits for a map.</summary>
    public Task<ShardMap?> Until(Func<ShardMap, bool> isGood) =>
        Wait.Until(() => new ValueTask<ShardMap?>(_task.IsFaulted ? throw _task.Exception! : _last), map => map is not null && isGood(map));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _task);
        _stop.Dispose();
    }

    private async Task WatchAsync(IClusterState state, string collection)
    {
        await foreach (ShardMap map in state.WatchAsync(collection, _stop.Token))
        {
            Assert.True(_last is null || map.Version > _last.Version, $"version {map.Version} after {_last?.Version}");
            _last = map;
        }
    }
}
