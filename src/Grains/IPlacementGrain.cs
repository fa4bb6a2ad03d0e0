namespace Signpost.Grains;

/// <summary>Who holds what, decided by one silo for all.</summary>
public interface IPlacementGrain
{
    /// <summary>Decides once, where this silo leads: <c>PlacementCodec</c>.</summary>
    Task<byte[]> StepAsync(CancellationToken cancel);

    /// <summary>The present map of a collection: <c>PlacementCodec</c>.</summary>
    Task<byte[]> MapAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);
}
