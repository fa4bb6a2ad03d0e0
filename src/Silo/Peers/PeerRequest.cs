using Signpost.Engine.Cluster;
using Signpost.Grains;
using Signpost.Grains.Wire;

namespace Signpost.Silo.Peers;

/// <summary>Searches that travel together: one request, one answer. However it ends, each of them has ended then.</summary>
internal sealed class PeerRequest
{
    /// <summary>
    /// Time for searches without a deadline, and the longest for any: a silo that lives and does not answer must not hold them for ever.
    /// </summary>
    private static readonly TimeSpan WithoutDeadline = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Time for the answer to arrive after the deadline at which it was given.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly SiloId _silo;
    private readonly List<PeerSearch> _searches;
    private readonly CancellationTokenSource _cancel = new();
    private int _wanted;

    /// <param name="silo">Who is asked.</param>
    /// <param name="searches">At least one.</param>
    public PeerRequest(SiloId silo, List<PeerSearch> searches)
    {
        _silo = silo;
        _searches = searches;
        _wanted = searches.Count;
        searches.ForEach(search => search.GivenUp = OneGivenUp);
    }

    /// <summary>Sends it and ends all searches.</summary>
    public async Task SendAsync(Func<ShardId, IShardGrain> shards)
    {
        TimeSpan timeout = _searches.Max(TimeOf);
        string? failure = null;
        try
        {
            _cancel.CancelAfter(timeout);
            byte[] message = SearchCodec.Join(_silo, [.. _searches.Select(search => (search.Bytes, search.Left))]);
            End(await shards(_searches[0].Shard).SearchAsync(message, _cancel.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            failure = $"it did not answer within {timeout.TotalSeconds:0.#} s";
        }
        catch (Exception e)
        {
            failure = e.Message;
        }

        foreach (PeerSearch search in failure is null ? [] : _searches)
        {
            search.Fail($"{_silo}: {failure}");
        }

        _cancel.Dispose();
    }

    private static TimeSpan TimeOf(PeerSearch search) => search.Left is not { } left ? WithoutDeadline : left < Longest ? left + Grace : Longest;

    private void End(byte[] answer)
    {
        WireAnswer[] answers = SearchAnswerCodec.Read(answer, [.. _searches.Select(search => (search.Collection, search.K))]);
        for (int i = 0; i < answers.Length; i++)
        {
            if (answers[i].Failure is { } failure)
            {
                _searches[i].Fail($"{_silo}: {failure}");
            }
            else
            {
                _searches[i].Answer(answers[i].Answer);
            }
        }
    }

    /// <summary>What nobody waits for any more is not awaited.</summary>
    private void OneGivenUp()
    {
        try
        {
            if (Interlocked.Decrement(ref _wanted) == 0)
            {
                _cancel.Cancel();
            }
        }
        catch (ObjectDisposedException)
        {
            // The request has ended just now.
        }
    }
}
