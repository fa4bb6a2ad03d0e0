using Signpost.Engine.Search;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>Why a silo is asked.</summary>
public enum AskKind
{
    /// <summary>It is the first that is asked for these shards.</summary>
    First,

    /// <summary>Another one failed.</summary>
    Retry,

    /// <summary>Another one is silent.</summary>
    Hedge,
}

/// <summary>How a call to a silo ended.</summary>
public enum CallEnd
{
    /// <summary>Nobody needed its answer any more: another silo was faster, or the time was over.</summary>
    GivenUp,

    /// <summary>It was answered, with a refusal perhaps.</summary>
    Answered,

    /// <summary>It failed, or the silo had nothing of what was asked.</summary>
    Failed,
}

/// <summary>One call to a silo.</summary>
public record struct CallReport
{
    /// <summary>Name of the silo that was asked.</summary>
    public string Silo { get; init; }

    /// <summary>Why it was asked.</summary>
    public AskKind Kind { get; init; }

    /// <summary>Whether it is the silo that asks: no network is between.</summary>
    public bool IsHere { get; init; }

    /// <summary>Shards that it was asked for.</summary>
    public int Shards { get; init; }

    /// <summary>Since the search began.</summary>
    public TimeSpan Started { get; init; }

    /// <summary>Until it ended.</summary>
    public TimeSpan Took { get; internal set; }

    /// <summary>How it ended.</summary>
    public CallEnd End { get; internal set; }

    /// <summary>Why it failed; null otherwise.</summary>
    public string? Failure { get; internal set; }

    /// <summary>What its searches did, summed.</summary>
    public SearchStats Stats { get; internal set; }

    /// <summary>What each shard did; null where that was not wanted.</summary>
    public IReadOnlyList<ShardWork>? Work { get; internal set; }

    internal int FirstShard { get; init; }
}

/// <summary>
/// What a search did, call by call. Its owner gives it along with the request, reads it when the search has ended, and uses it again: once it
/// has grown, nothing is allocated. Not thread-safe.
/// </summary>
public sealed class CallReports
{
    private CallReport[] _calls = new CallReport[4];
    private int[] _shards = new int[16];
    private int _callCount;
    private int _shardCount;
    private TimeSpan _origin;

    /// <summary>Who looks at the search; null: nobody in particular.</summary>
    public SearchWatch? Watch { get; set; }

    /// <summary>The calls in the order in which they were made.</summary>
    public ReadOnlySpan<CallReport> Calls => _calls.AsSpan(0, _callCount);

    /// <summary>Numbers of the shards that a call of <see cref="Calls"/> asked for.</summary>
    public ReadOnlySpan<int> ShardsOf(in CallReport call) => _shards.AsSpan(call.FirstShard, call.Shards);

    /// <summary>Calls of a kind.</summary>
    public int Count(AskKind kind)
    {
        int count = 0;
        foreach (ref readonly CallReport call in Calls)
        {
            count += call.Kind == kind ? 1 : 0;
        }

        return count;
    }

    /// <summary>Forgets everything, for the next search.</summary>
    public void Clear()
    {
        Array.Clear(_calls, 0, _callCount);
        (Watch, _callCount, _shardCount) = (null, 0, 0);
    }

    /// <summary>A call is made; the number by which <see cref="End"/> knows it.</summary>
    internal int Begin(SiloGroup group, AskKind kind, TimeSpan now)
    {
        if (_callCount == 0)
        {
            _origin = now;
        }

        if (_callCount == _calls.Length)
        {
            Array.Resize(ref _calls, _calls.Length * 2);
        }

        ReadOnlySpan<ShardSlots> shards = group.Slots.Span;
        while (_shardCount + shards.Length > _shards.Length)
        {
            Array.Resize(ref _shards, _shards.Length * 2);
        }

        _calls[_callCount] = new CallReport
        {
            Silo = group.Silo.Id.Name,
            Kind = kind,
            IsHere = group.IsHere,
            Shards = shards.Length,
            FirstShard = _shardCount,
            Started = now - _origin,
        };
        foreach (ShardSlots shard in shards)
        {
            _shards[_shardCount++] = shard.Number;
        }

        return _callCount++;
    }

    /// <summary>A call has ended.</summary>
    internal void End(int number, CallEnd end, string? failure, in ShardAnswer answer, TimeSpan now)
    {
        ref CallReport call = ref _calls[number];
        call.Took = now - _origin - call.Started;
        (call.End, call.Failure, call.Stats, call.Work) = (end, failure, answer.Stats, answer.Work);
    }
}
