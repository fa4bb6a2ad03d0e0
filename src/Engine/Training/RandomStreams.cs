namespace Signpost.Engine.Training;

/// <summary>Streams of <see cref="Base.Seeded"/> in this folder, one for each purpose.</summary>
internal static class RandomStreams
{
    /// <summary>Which queries are drawn.</summary>
    public const ulong Queries = 1UL << 40;

    /// <summary>+ number of the query: what is kept of its walk.</summary>
    public const ulong Walk = 2UL << 40;
}
