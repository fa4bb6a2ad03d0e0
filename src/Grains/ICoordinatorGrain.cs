namespace Signpost.Grains;

/// <summary>Searches of one collection, over all its shards. What cannot be answered ends in a <see cref="Engine.Base.ProblemException"/>.</summary>
public interface ICoordinatorGrain
{
    /// <summary>The nearest vectors to one: <c>QueryCodec</c>.</summary>
    Task<byte[]> SearchAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);
}
