using Signpost.Engine.Cluster;
using Signpost.Grains;
using Signpost.Grains.Wire;

namespace Signpost.Silo.Peers;

/// <summary>
/// The searches of one silo by this one. A search is sent at once while few requests are under way; else it waits, and the next request
/// takes all that waits. So one search alone is not held up, and many share the cost of a request.
/// </summary>
internal sealed class PeerChannel
{
    /// <summary>Most requests under way: one is worked on while another travels, and a slow search does not hold up all others.</summary>
    private const int MostRequests = 4;

    /// <summary>Most bytes and hits wanted of a request with more than one search.</summary>
    private const int SharedBytes = 256 << 10;

    private const int SharedHits = 64 << 10;

    /// <summary>Most searches and bytes that wait.</summary>
    private const int WaitingMost = 4096;

    private const long WaitingBytesMost = 64 << 20;

    private readonly SiloId _silo;
    private readonly Func<ShardId, IShardGrain> _shards;
    private readonly WireLimits _limits;
    private readonly Lock _change = new();
    private readonly Queue<PeerSearch> _waiting = [];
    private long _waitingBytes;
    private int _requests;

    /// <param name="silo">Who is asked.</param>
    /// <param name="shards">Asks it, given the first shard of a message.</param>
    /// <param name="limits">Sizes of messages.</param>
    public PeerChannel(SiloId silo, Func<ShardId, IShardGrain> shards, WireLimits limits)
    {
        _silo = silo;
        _shards = shards;
        _limits = limits;
    }

    /// <summary>Sends <paramref name="search"/>, now or later, without waiting for the network.</summary>
    /// <returns>Its answer; it fails where too much waits already, and nothing is sent.</returns>
    public Task<ShardAnswer> SendAsync(PeerSearch search)
    {
        lock (_change)
        {
            if (_waiting.Count >= WaitingMost || _waitingBytes + search.Bytes.Length > WaitingBytesMost)
            {
                search.Fail($"{_silo}: {_waiting.Count} searches of {_waitingBytes} bytes wait for it already");
                return search.Task;
            }

            _waiting.Enqueue(search);
            _waitingBytes += search.Bytes.Length;
            if (_requests == MostRequests)
            {
                return search.Task;
            }

            _requests++;
        }

        _ = SendWaitingAsync();
        return search.Task;
    }

    private async Task SendWaitingAsync()
    {
        while (TakeWaiting() is { } request)
        {
            await request.SendAsync(_shards).ConfigureAwait(false);
        }
    }

    /// <summary>The next request, with all that waits and fits; null, and one request less is under way, when nothing waits.</summary>
    private PeerRequest? TakeWaiting()
    {
        var taken = new List<PeerSearch>();
        int bytes = 0;
        int hits = 0;
        lock (_change)
        {
            while (taken.Count < _limits.Searches && _waiting.TryPeek(out PeerSearch? next) && (taken.Count == 0 || Fits(next, bytes, hits)))
            {
                _waiting.Dequeue();
                _waitingBytes -= next.Bytes.Length;
                if (next.IsWanted())
                {
                    taken.Add(next);
                    bytes += next.Bytes.Length;
                    hits += next.K;
                }
            }

            if (taken.Count == 0)
            {
                _requests--;
                return null;
            }
        }

        return new PeerRequest(_silo, taken);
    }

    private bool Fits(PeerSearch next, int bytes, int hits) =>
        bytes + next.Bytes.Length <= Math.Min(SharedBytes, _limits.SearchBytes / 2) && hits + next.K <= Math.Min(SharedHits, _limits.K);
}
