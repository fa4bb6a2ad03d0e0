using System.Collections.Concurrent;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Grains;
using Signpost.Grains.Wire;
using Signpost.Silo.Security;

namespace Signpost.Silo.Peers;

/// <summary>
/// Asks the shards of other silos. Whatever goes wrong on the way is an <see cref="IOException"/> that names the silo; asking
/// again, or asking another replica, is the coordinator's to decide.
/// </summary>
/// <param name="peers">Reaches them; disposed with it.</param>
/// <param name="limits">Sizes of messages.</param>
internal sealed class RemoteShardClient(IPeers peers, WireLimits limits) : IShardClient, IDisposable
{
    /// <summary>Time for what does not take long: a training must not wait for ever for a silo that lives and does not answer.</summary>
    private static readonly TimeSpan ShortCall = TimeSpan.FromMinutes(1);

    private delegate Task<byte[]> Call(ReadOnlyMemory<byte> request, CancellationToken cancel);

    private readonly ConcurrentDictionary<SiloId, PeerChannel> _channels = [];

    /// <summary>Asks them over HTTP/2.</summary>
    /// <param name="addressOf">Where a silo answers others; null for one that is not known.</param>
    /// <param name="limits">Sizes of messages.</param>
    /// <param name="security">How silos know each other; null: they do not.</param>
    public RemoteShardClient(Func<SiloId, Uri?> addressOf, WireLimits limits, PeerSecurity? security = null)
        : this(new HttpPeers(addressOf, limits, security), limits)
    {
    }

    /// <inheritdoc/>
    public string? Here => null;

    /// <inheritdoc/>
    public void Dispose() => peers.Dispose();

    /// <inheritdoc/>
    public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (deadline.Reached)
        {
            return new ValueTask<ShardAnswer>(ShardAnswer.Late(query));
        }

        PeerChannel channel = ChannelTo(silo);
        return new ValueTask<ShardAnswer>(channel.SendAsync(new PeerSearch(query, SearchCodec.Write(query, limits), deadline, cancel)));
    }

    /// <inheritdoc/>
    public async ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) => await AskAsync(
        replica, shards => shards.SampleAsync, SampleCodec.WriteRequest(replica, count, seed), answer => SampleCodec.ReadAnswer(answer), ShortCall, cancel)
        .ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => await AskAsync(
        replica, shards => shards.TraceAsync, TraceCodec.WriteRequest(replica, request, work.Threads), answer => TraceCodec.ReadAnswer(answer),
        Timeout.InfiniteTimeSpan, work.Cancel).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => await AskAsync(
        replica, shards => shards.EndTracesAsync, ShardCodec.WriteRequest(replica), ShardCodec.ReadDone, ShortCall, cancel).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) => await AskAsync(
        replica, shards => shards.PrepareCodesAsync, CodesCodec.WritePrepare(replica, quantizerFile, work.Threads), answer => CodesCodec.ReadPrepared(answer),
        Timeout.InfiniteTimeSpan, work.Cancel).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) => await AskAsync(
        replica, shards => shards.DropCodesAsync, CodesCodec.WriteDrop(replica, codesVersion), ShardCodec.ReadDone, ShortCall, cancel).ConfigureAwait(false);

    private async Task<T> AskAsync<T>(
        ReplicaId replica, Func<IShardGrain, Call> call, byte[] message, Func<byte[], T> read, TimeSpan timeout, CancellationToken cancel)
    {
        SiloId silo = replica.Silo;
        cancel.ThrowIfCancellationRequested();
        if (message.Length > limits.ControlBytes)
        {
            throw new IOException($"{silo}: a message of {message.Length} bytes is not sent, at most {limits.ControlBytes} are");
        }

        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        both.CancelAfter(timeout);
        try
        {
            byte[] answer = await call(peers.At(silo)(replica.Shard))(message, both.Token).ConfigureAwait(false);
            return read(answer);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new IOException($"{silo}: it did not answer within {timeout.TotalSeconds} s");
        }
        catch (Exception e) when (e is IOException or MessagePackException or ProblemException)
        {
            throw new IOException($"{silo}: {e.Message}", e);
        }
    }

    /// <summary>The channel to a silo under one lease, in which its address does not change; those of its earlier leases end.</summary>
    private PeerChannel ChannelTo(SiloId silo)
    {
        if (_channels.TryGetValue(silo, out PeerChannel? channel))
        {
            return channel;
        }

        channel = new PeerChannel(silo, peers.At(silo), limits);
        foreach (SiloId old in _channels.Keys.Where(old => old.Name == silo.Name && old.Epoch < silo.Epoch))
        {
            _channels.TryRemove(old, out _); // what it still sends ends well without it being here
        }

        return _channels.GetOrAdd(silo, channel);
    }
}
