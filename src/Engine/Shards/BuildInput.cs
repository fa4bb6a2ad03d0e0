using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>The vectors that a collection is built from, and what one pass over them tells.</summary>
/// <param name="vectors">The vectors; must stay during the build.</param>
/// <param name="ids">Id of each row, no id twice; null: the numbers of the rows.</param>
public sealed class BuildInput(VectorBlock vectors, ulong[]? ids = null)
{
    private const int RowsPerChunk = 4096;

    private readonly Lock _lock = new();

    /// <summary>The vectors.</summary>
    public VectorBlock Vectors { get; } = vectors;

    /// <summary>Id of each row; null: the numbers of the rows.</summary>
    public ulong[]? Ids { get; } = ids;

    /// <summary>Id of a row.</summary>
    public ulong IdOf(long row) => Ids is null ? (ulong)row : Ids[row];

    /// <summary>
    /// Reads all vectors once. Refused: none at all, NaN and infinities, vectors without a direction under cosine, ids that are too
    /// few or not unique.
    /// </summary>
    /// <returns>A hash of all vectors and ids, the same on any number of threads.</returns>
    public Outcome<ulong> Inspect(Metric metric, Work work)
    {
        if (Vectors.Count == 0)
        {
            return new Problem(ProblemCode.InvalidArgument, "vectors", "none", "at least one", "Build from a file that has vectors.");
        }

        if (CheckIds() is { } problem)
        {
            return problem;
        }

        ulong hash = 0;
        long badRow = long.MaxValue;
        work.For("checking the vectors", Vectors.Count, RowsPerChunk, (from, to, _) =>
        {
            uint crc = 0;
            for (long row = from; row < to; row++)
            {
                ReadOnlySpan<byte> bytes = Vectors.RowSpan(row);
                crc = Crc32C.Compute(bytes, crc);
                if (row < Volatile.Read(ref badRow) && Fault(bytes, metric) is not null)
                {
                    lock (_lock)
                    {
                        badRow = Math.Min(badRow, row);
                    }
                }
            }

            Interlocked.Add(ref hash, Seeded.Mix(crc + ((ulong)from << 32)));
        });
        if (badRow < long.MaxValue)
        {
            return Fault(Vectors.RowSpan(badRow), metric)! with { What = $"vector of row {badRow}" };
        }

        return hash + (Ids is null ? 0 : Seeded.Mix(Crc32C.Compute(MemoryMarshal.AsBytes<ulong>(Ids)) + 1UL));
    }

    /// <summary>Vectors of each range of slots.</summary>
    public long[] CountPerShard(SlotRange[] ranges, Work work)
    {
        long[] perSlot = new long[Slots.Count];
        work.For("assigning slots", Vectors.Count, RowsPerChunk, (from, to, _) =>
        {
            for (long row = from; row < to; row++)
            {
                Interlocked.Increment(ref perSlot[Slots.Of(IdOf(row))]);
            }
        });
        return [.. ranges.Select(range => perSlot[range.From..range.To].Sum())];
    }

    /// <summary>
    /// The rows of a shard in the order of its vertices, and their ids: ascending by id, so that ties by vertex are ties by id. A
    /// better order for the memory may be chosen here: all that is made for a shard follows this list.
    /// </summary>
    /// <param name="range">Slots of the shard.</param>
    /// <param name="count">Rows in it, as <see cref="CountPerShard"/> found.</param>
    public (long[] Rows, ulong[] Ids) RowsOf(SlotRange range, long count)
    {
        long[] rows = new long[count];
        ulong[] rowIds = new ulong[count];
        int found = 0;
        for (long row = 0; row < Vectors.Count; row++)
        {
            ulong id = IdOf(row);
            if (range.Owns(id))
            {
                rows[found] = row;
                rowIds[found++] = id;
            }
        }

        Check.That(found == count);
        if (Ids is not null)
        {
            Array.Sort(rowIds, rows);
        }

        return (rows, rowIds);
    }

    private Problem? CheckIds()
    {
        if (Ids is null)
        {
            return null;
        }

        if (Ids.Length != Vectors.Count)
        {
            return new Problem(
                ProblemCode.InvalidArgument, "ids", $"{Ids.Length}", $"{Vectors.Count}, one for each vector", "Give every vector an id.");
        }

        ulong[] sorted = [.. Ids];
        Array.Sort(sorted);
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i] == sorted[i - 1])
            {
                return new Problem(
                    ProblemCode.InvalidArgument, "ids", $"{sorted[i]} twice", "every id once", "Give every vector an id of its own.");
            }
        }

        return null;
    }

    private Problem? Fault(ReadOnlySpan<byte> row, Metric metric)
    {
        int at = Elements.IndexOfNonFinite(row, Vectors.Type);
        if (at < 0)
        {
            return metric == Metric.Cosine ? Direction.Fault("vector", Vectors.Type, row) : null;
        }

        var floats = new float[Vectors.Dim];
        Elements.ToFloat(row, Vectors.Type, floats);
        return new Problem(
            ProblemCode.InvalidComponent, "vector", $"{floats[at]} as component {at}", "finite numbers", "Clean the vectors.");
    }
}
