namespace Signpost.Grains;

/// <summary>Trainings of one collection.</summary>
public interface ITrainingGrain
{
    /// <summary>Gives the collection new codes: <c>TrainingCodec</c>.</summary>
    Task<byte[]> RunAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);
}
