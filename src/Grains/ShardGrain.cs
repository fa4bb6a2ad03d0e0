using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Grains.Wire;

namespace Signpost.Grains;

/// <summary>
/// The shards of a silo as others ask for them: reads a message, makes one call into the engine, writes the answer. Searches run on the
/// search threads; what trainings ask runs on threads of its own, and of what takes long one after the other.
/// </summary>
public sealed class ShardGrain : IShardGrain
{
    private readonly SearchThreads _threads;
    private readonly OwnThreads _long = new(1); // each call uses all cores, and memory
    private readonly OwnThreads _short = new(8);

    /// <summary>The shards of one silo.</summary>
    /// <param name="shards">Asks them.</param>
    /// <param name="threads">Search them.</param>
    public ShardGrain(SiloShardClient shards, SearchThreads threads)
        : this(shards, threads, new WireLimits())
    {
    }

    internal ShardGrain(SiloShardClient shards, SearchThreads threads, WireLimits limits)
    {
        Shards = shards;
        Limits = limits;
        _threads = threads;
    }

    /// <summary>The shards, to be asked by a method call.</summary>
    public SiloShardClient Shards { get; }

    /// <summary>Sizes of messages.</summary>
    internal WireLimits Limits { get; }

    /// <inheritdoc/>
    public async Task<byte[]> SearchAsync(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        (SiloId silo, WireSearch[] searches) = Message.Parse(() => SearchCodec.Read(request, Limits));
        return await SearchCall.RunAsync(Shards, silo, searches, _threads, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<byte[]> SampleAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(_short, () =>
    {
        (ReplicaId replica, int count, ulong seed) = SampleCodec.ReadRequest(request.Span);
        using VectorBlock sample = Ended(Shards.SampleAsync(replica, count, seed, cancel));
        return SampleCodec.WriteAnswer(sample, Limits);
    });

    /// <inheritdoc/>
    public Task<byte[]> TraceAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(_long, () =>
    {
        (ReplicaId replica, TraceRequest asked, int threads) = TraceCodec.ReadRequest(request.Span);
        return TraceCodec.WriteAnswer(Ended(Shards.TraceAsync(replica, asked, WorkOf(threads, cancel))), Limits);
    });

    /// <inheritdoc/>
    public Task<byte[]> EndTracesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(_short, () =>
    {
        Ended(Shards.EndTracesAsync(ShardCodec.ReadRequest(request.Span), cancel));
        return ShardCodec.WriteDone();
    });

    /// <inheritdoc/>
    public Task<byte[]> PrepareCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(_long, () =>
    {
        (ReplicaId replica, string file, int threads) = CodesCodec.ReadPrepare(request.Span);
        return CodesCodec.WritePrepared(Ended(Shards.PrepareCodesAsync(replica, file, WorkOf(threads, cancel))));
    });

    /// <inheritdoc/>
    public Task<byte[]> DropCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(_short, () =>
    {
        (ReplicaId replica, uint version) = CodesCodec.ReadDrop(request.Span);
        Ended(Shards.DropCodesAsync(replica, version, cancel));
        return ShardCodec.WriteDone();
    });

    /// <summary>What a training asks of this silo and takes long, by a method call.</summary>
    internal Task<T> LongAsync<T>(Func<SiloShardClient, ValueTask<T>> call) => _long.RunAsync(() => Ended(call(Shards)));

    /// <summary>What a training asks of this silo and does not take long.</summary>
    internal Task<T> ShortAsync<T>(Func<SiloShardClient, ValueTask<T>> call) => _short.RunAsync(() => Ended(call(Shards)));

    /// <summary>The same where there is no result.</summary>
    internal Task ShortAsync(Func<SiloShardClient, ValueTask> call) => _short.RunAsync(() =>
    {
        Ended(call(Shards));
        return true;
    });

    private static async Task<byte[]> ControlAsync(OwnThreads threads, Func<byte[]> call)
    {
        try
        {
            return await threads.RunAsync(() => Message.Parse(call)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new ProblemException(new Problem(
                ProblemCode.NotFound, "request of another silo", e.Message, "what this silo has", "Ask again with the newest shard map."));
        }
    }

    /// <summary>As many threads as are wanted and there are.</summary>
    private static Work WorkOf(int threads, CancellationToken cancel) => new(Math.Min(threads, Environment.ProcessorCount), null, cancel, isLow: true);

    /// <summary>The result of a call that works on its caller's thread.</summary>
    private static T Ended<T>(ValueTask<T> call) => call.AsTask().GetAwaiter().GetResult();

    private static void Ended(ValueTask call) => call.AsTask().GetAwaiter().GetResult();
}
