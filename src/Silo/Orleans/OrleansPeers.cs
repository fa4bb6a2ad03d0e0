using System.Runtime.InteropServices;
using Orleans;
using Orleans.Runtime;
using Signpost.Engine.Cluster;
using Signpost.Grains;
using Signpost.Grains.Orleans;
using Signpost.Silo.Peers;

namespace Signpost.Silo.Orleans;

/// <summary>Other silos by calls of Orleans grains.</summary>
/// <remarks>
/// A message to a silo goes to the grain of the first shard that was asked for, again and again until that fails, whichever shards it is
/// about. So where the grain is, is known: to look up another one might wait for the silo that has its part of the directory, and that may be the
/// one that has just died.
/// </remarks>
/// <param name="grains">Finds them; to be asked when Orleans runs.</param>
internal sealed class OrleansPeers(Func<IGrainFactory> grains) : IPeers
{
    /// <inheritdoc/>
    public Func<ShardId, IShardGrain> At(SiloId silo)
    {
        Shards? door = null;
        return shard =>
        {
            Shards? used = Volatile.Read(ref door);
            if (used is null or { HasFailed: true })
            {
                used = new Shards(grains().GetGrain<IShardActor>(new ShardKey(shard, silo.Name).ToString()));
                Volatile.Write(ref door, used);
            }

            return used;
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Connections are Orleans'.
    }

    private sealed class Shards(IShardActor shard) : IShardGrain
    {
        private volatile bool _hasAnswered;
        private volatile bool _hasFailed;

        /// <summary>Whether Orleans could not bring a message there, or never got an answer while anybody waited.</summary>
        public bool HasFailed => _hasFailed;

        public Task<byte[]> SearchAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => AskAsync(shard.SearchAsync(Bytes(request), cancel));

        public Task<byte[]> SampleAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => AskAsync(shard.SampleAsync(Bytes(request), cancel));

        public Task<byte[]> TraceAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => AskAsync(shard.TraceAsync(Bytes(request), cancel));

        public Task<byte[]> EndTracesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => AskAsync(shard.EndTracesAsync(Bytes(request), cancel));

        public Task<byte[]> PrepareCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) =>
            AskAsync(shard.PrepareCodesAsync(Bytes(request), cancel));

        public Task<byte[]> DropCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => AskAsync(shard.DropCodesAsync(Bytes(request), cancel));

        /// <summary>The message itself where it is a whole array, as all of ours are.</summary>
        private static byte[] Bytes(ReadOnlyMemory<byte> message) =>
            MemoryMarshal.TryGetArray(message, out ArraySegment<byte> bytes) && bytes.Count == bytes.Array!.Length ? bytes.Array : message.ToArray();

        private async Task<byte[]> AskAsync(Task<byte[]> call)
        {
            try
            {
                byte[] answer = await call.ConfigureAwait(false);
                _hasAnswered = true;
                return answer;
            }
            catch (OperationCanceledException) when (!_hasAnswered)
            {
                _hasFailed = true;
                throw;
            }
            catch (Exception e) when (e is OrleansException or TimeoutException)
            {
                _hasFailed = true;
                throw new IOException(e.Message, e);
            }
        }
    }
}
