using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Silo.Peers;

/// <summary>A search on its way to another silo. Written when it is made: the caller's query is not looked at later.</summary>
internal sealed class PeerSearch
{
    private readonly TaskCompletionSource<ShardAnswer> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ShardQuery _asked; // its query is not the caller's any more, and not to be used
    private readonly Deadline _deadline;
    private readonly CancellationTokenRegistration _onCancel;
    private readonly CancellationTokenRegistration _onGiveUp;

    /// <param name="query">What is asked.</param>
    /// <param name="bytes">The same as it is sent.</param>
    /// <param name="deadline">Ends it with the answer that there was no time for it.</param>
    /// <param name="cancel">Ends it without an answer.</param>
    public PeerSearch(in ShardQuery query, ReadOnlyMemory<byte> bytes, Deadline deadline, CancellationToken cancel)
    {
        Bytes = bytes;
        _asked = query with { Shards = query.Shards.ToArray(), Query = null!, Target = default };
        _deadline = deadline;
        _onCancel = cancel.UnsafeRegister(static (search, token) => ((PeerSearch)search!).GiveUp(token), this);
        _onGiveUp = deadline.Cancel.UnsafeRegister(static search => ((PeerSearch)search!).GiveUp(null), this);
    }

    /// <summary>The search as it is sent.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Name of the collection.</summary>
    public string Collection => _asked.Collection;

    /// <summary>The first of its shards.</summary>
    public ShardId Shard => new(_asked.Collection, _asked.Shards.Span[0].Number);

    /// <summary>Hits wanted.</summary>
    public int K => _asked.Parameters.K;

    /// <summary>Time that is left; null without an end.</summary>
    public TimeSpan? Left => _deadline.Left;

    /// <summary>Ends with the answer.</summary>
    public Task<ShardAnswer> Task => _done.Task;

    /// <summary>Called once when the search has ended before its answer came.</summary>
    public Action? GivenUp { private get; set; }

    /// <summary>Whether it is still worth sending; ends it where its time is over.</summary>
    public bool IsWanted()
    {
        if (!Task.IsCompleted && _deadline.Reached)
        {
            Answer(ShardAnswer.Late(_asked));
        }

        return !Task.IsCompleted;
    }

    /// <summary>Ends it with the answer.</summary>
    public void Answer(in ShardAnswer answer)
    {
        _done.TrySetResult(answer);
        Forget();
    }

    /// <summary>Ends it without one.</summary>
    public void Fail(string reason)
    {
        _done.TrySetException(new IOException(reason));
        Forget();
    }

    private void GiveUp(CancellationToken? cancelled)
    {
        if (cancelled is { } token ? _done.TrySetCanceled(token) : _done.TrySetResult(ShardAnswer.Late(_asked)))
        {
            GivenUp?.Invoke();
        }
    }

    private void Forget()
    {
        _onCancel.Unregister();
        _onGiveUp.Unregister();
    }
}
