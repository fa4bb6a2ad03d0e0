using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>The end of a simulated process, between two of its steps.</summary>
internal sealed class CrashException : Exception;

/// <summary>One process' view of the shared state: it can be cut off, and the process can be made to die just before or just after a call.</summary>
internal sealed class FaultyState(IClusterState inner, Action<ShardMap, Lease?> written) : IClusterState
{
    /// <summary>Whether calls fail as they do when the state cannot be reached.</summary>
    public bool IsCut { get; set; }

    /// <summary>Whether the process has died: nothing that it still would do happens.</summary>
    public bool IsDead { get; set; }

    /// <summary>Whether the process dies when it would remove a file.</summary>
    public bool DiesAtDelete { get; set; }

    /// <summary>Calls so far.</summary>
    public int Calls { get; private set; }

    /// <summary>The call at which the process dies; none where it is below 1.</summary>
    public int CrashAt { get; set; }

    /// <summary>Whether that call has had its effect by then.</summary>
    public bool CrashAfter { get; set; }

    /// <summary>Told the number of a call that has had its effect.</summary>
    public Action<int> AfterCall { get; set; } = _ => { };

    public ValueTask<ShardMap?> ReadAsync(string collection, CancellationToken cancel) => Do(() => inner.ReadAsync(collection, cancel));

    public ValueTask<bool> TryWriteAsync(ShardMap map, Lease? leader, CancellationToken cancel) => Do(() =>
    {
        ValueTask<bool> call = inner.TryWriteAsync(map, leader, cancel);
        if (call.Result)
        {
            written(map, leader);
        }

        return new ValueTask<bool>(call.Result);
    });

    public IAsyncEnumerable<ShardMap> WatchAsync(string collection, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<string>> CollectionsAsync(CancellationToken cancel) => Do(() => inner.CollectionsAsync(cancel));

    public ValueTask<Lease?> TryAcquireAsync(string role, string holder, TimeSpan duration, CancellationToken cancel) =>
        Do(() => inner.TryAcquireAsync(role, holder, duration, cancel));

    public ValueTask<bool> TryRenewAsync(Lease lease, TimeSpan duration, CancellationToken cancel) => Do(() => inner.TryRenewAsync(lease, duration, cancel));

    public ValueTask<bool> TryNoteAsync(Lease lease, string note, CancellationToken cancel) => Do(() => inner.TryNoteAsync(lease, note, cancel));

    public ValueTask<IReadOnlyList<NotedLease>> LeasesAsync(string rolePrefix, CancellationToken cancel) => Do(() => inner.LeasesAsync(rolePrefix, cancel));

    public async ValueTask ReleaseAsync(Lease lease, CancellationToken cancel) => await Do(async () =>
    {
        await inner.ReleaseAsync(lease, cancel);
        return true;
    });

    /// <summary>Ends what a process that has died still would do.</summary>
    public void MustLive()
    {
        if (IsDead)
        {
            throw new CrashException();
        }
    }

    /// <summary>A call to something else that this process shares, which is there even where the state cannot be reached.</summary>
    public T Call<T>(Func<T> call)
    {
        MustLive();
        bool isLast = ++Calls == CrashAt;
        IsDead |= isLast;
        if (isLast && !CrashAfter)
        {
            throw new CrashException();
        }

        T result = call();
        return isLast ? throw new CrashException() : result;
    }

    private ValueTask<T> Do<T>(Func<ValueTask<T>> call)
    {
        MustLive();
        bool isLast = ++Calls == CrashAt;
        IsDead |= isLast;
        if (isLast && !CrashAfter)
        {
            throw new CrashException();
        }

        if (IsCut)
        {
            throw new IOException("the state cannot be reached");
        }

        T result = call().Result; // the embedded state never waits
        AfterCall(Calls);
        return isLast ? throw new CrashException() : new ValueTask<T>(result);
    }
}
