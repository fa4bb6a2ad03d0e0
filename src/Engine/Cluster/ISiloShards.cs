using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>The shards that are open in this silo, and where more come from. Used by one thread; what it tells may be read by any.</summary>
public interface ISiloShards
{
    /// <summary>Every shard that is open, or was to be opened and could not.</summary>
    IReadOnlyList<HeldShard> Held { get; }

    /// <summary>Memory that they take, bytes.</summary>
    long ResidentBytes { get; }

    /// <summary>
    /// Opens a shard with the codes that its collection has now in the segment store. Why it cannot be opened (memory, a damaged file, a
    /// store that cannot be reached) is told by <see cref="Held"/>.
    /// </summary>
    /// <param name="shard">The shard.</param>
    /// <param name="lineage">What the collection of the shard map was built as: one of another lineage is not opened in its place. Empty: unknown.</param>
    /// <param name="isUrgent">Whether fewer copies serve than are wanted: then its files are fetched as fast as can be.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <exception cref="OperationCanceledException">Cancelled; nothing has changed.</exception>
    void Open(ShardId shard, string lineage, bool isUrgent, Work work);

    /// <summary>Closes a shard, or forgets that it could not be opened; searches that run end well.</summary>
    void Close(ShardId shard);

    /// <summary>
    /// Opens codes that the segment store has and the open shards of <paramref name="collection"/> have not, and lets those go that are
    /// neither the newest nor of <paramref name="codesInUse"/>.
    /// </summary>
    /// <param name="collection">Name of the collection.</param>
    /// <param name="codesInUse">The version that queries use now, from the shard map.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    void Refresh(string collection, uint codesInUse, Work work);
}

/// <summary>Codes of trainings under way, in a silo that shares its collections with others.</summary>
public interface ICodesOfTrainings
{
    /// <summary>
    /// As <see cref="IShardClient.PrepareCodesAsync"/>: the quantizer comes from the segment store, and so do the codes where a copy of the shard has
    /// encoded already; else they are made and put there. Searches see nothing of them, and nobody is told, before a manifest names them.
    /// </summary>
    /// <exception cref="IOException">The shard is not open here, or the store failed.</exception>
    Outcome<string> PrepareCodes(ShardId shard, string quantizerFile, Work work);

    /// <summary>Lets prepared codes go that came to nothing; those that a manifest names stay.</summary>
    /// <exception cref="IOException">The shard is not open here.</exception>
    void DropCodes(ShardId shard, uint codesVersion);
}
