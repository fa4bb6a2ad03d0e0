namespace Signpost.Engine.Training;

/// <summary>Streams of <see cref="Base.Seeded"/> in this folder, one for each purpose.</summary>
internal static class RandomStreams
{
    /// <summary>Which queries are drawn.</summary>
    public const ulong Queries = 1UL << 40;

    /// <summary>+ number of the query: what is kept of its walk.</summary>
    public const ulong Walk = 2UL << 40;

    /// <summary>Which rows of the sample become codewords.</summary>
    public const ulong Codewords = 3UL << 40;

    /// <summary>+ number of the step: what its batch holds.</summary>
    public const ulong Batch = 4UL << 40;
}
