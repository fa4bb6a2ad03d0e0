using System.Runtime.InteropServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>The true nearest neighbours of a set of queries, nearest first: ids [QueryCount, K] and, where known, distances.</summary>
/// <remarks>
/// Files: <c>.ivecs</c> (per query an int32 K and K int32 ids; no distances), and <c>.bin</c>, <c>.ibin</c>, <c>.gt</c> of Big-ANN
/// (uint32 query count, uint32 K, all int32 ids, then, where the file is long enough, all float32 distances). Little-endian.
/// </remarks>
public sealed class GroundTruth
{
    /// <summary>Stands in found ids where an answer had fewer than k.</summary>
    public const uint Missing = uint.MaxValue;

    private const int ValueBytes = 4; // of an id and of a distance
    private const int MaxIds = int.MaxValue / (2 * ValueBytes); // so that ids and row headers fit a span of bytes

    private readonly uint[] _ids;
    private readonly float[]? _distances;

    /// <param name="k">Neighbours of a query, at least 1.</param>
    /// <param name="ids">Row numbers of base vectors, shape [queries, k].</param>
    /// <param name="distances">Their distances, same shape, or null.</param>
    public GroundTruth(int k, uint[] ids, float[]? distances = null)
    {
        Check.That(k > 0 && ids.Length % k == 0 && ids.Length <= MaxIds && (distances is null || distances.Length == ids.Length));
        K = k;
        QueryCount = ids.Length / k;
        _ids = ids;
        _distances = distances;
    }

    /// <summary>Neighbours known of a query.</summary>
    public int K { get; }

    /// <summary>Number of queries.</summary>
    public int QueryCount { get; }

    /// <summary>True where distances are known.</summary>
    public bool HasDistances => _distances is not null;

    /// <summary>The K ids of <paramref name="query"/>, nearest first.</summary>
    public ReadOnlySpan<uint> Ids(int query) => _ids.AsSpan(query * K, K);

    /// <summary>The K distances of <paramref name="query"/>; empty where none are known.</summary>
    public ReadOnlySpan<float> Distances(int query) => _distances is null ? default : _distances.AsSpan(query * K, K);

    /// <summary>Reads a file, whole, and checks that no id is negative and no distance NaN; errors as <see cref="VectorFile"/>.</summary>
    public static GroundTruth Open(string path)
    {
        Problem? unknown = UnknownFormat(path, out bool vecs);
        if (unknown is not null)
        {
            throw new ProblemException(unknown);
        }

        using FileSource source = FileSource.Open(path);
        return vecs ? ReadVecs(source) : ReadBin(source);
    }

    /// <summary>Writes ids, and distances where they are known and the format has them; replaces the file when complete.</summary>
    public void Write(string path)
    {
        Problem? unknown = UnknownFormat(path, out bool vecs);
        if (unknown is not null)
        {
            throw new ProblemException(unknown);
        }

        if (vecs)
        {
            VectorLayout layout = VecsFormat.Of(VectorFormat.Ivecs, QueryCount, K);
            int[] records = new int[QueryCount * (K + 1L)];
            for (int query = 0; query < QueryCount; query++)
            {
                Span<int> record = records.AsSpan(query * (K + 1), K + 1);
                record[0] = K;
                MemoryMarshal.Cast<uint, int>(Ids(query)).CopyTo(record[1..]);
            }

            WholeFile.Write(path, layout.FileBytes, handle => RandomAccess.Write(handle, MemoryMarshal.AsBytes<int>(records), 0));
            return;
        }

        byte[] header = BinFormat.Header((uint)QueryCount, (uint)K);
        long idBytes = (long)ValueBytes * _ids.Length;
        WholeFile.Write(path, header.Length + (HasDistances ? 2 : 1) * idBytes, handle =>
        {
            RandomAccess.Write(handle, header, 0);
            RandomAccess.Write(handle, MemoryMarshal.AsBytes<uint>(_ids), header.Length);
            RandomAccess.Write(handle, MemoryMarshal.AsBytes(_distances.AsSpan()), header.Length + idBytes);
        });
    }

    /// <summary>Null where this can be the truth of so many queries over so many base vectors.</summary>
    public Problem? Mismatch(long queryCount, long baseCount)
    {
        uint largest = 0;
        foreach (uint id in _ids)
        {
            largest = Math.Max(largest, id);
        }

        return QueryCount == queryCount && (_ids.Length == 0 || largest < baseCount)
            ? null
            : new Problem(
                ProblemCode.InvalidArgument,
                "the ground truth",
                $"{QueryCount} queries with ids up to {largest}",
                $"{queryCount} queries with ids below {baseCount}",
                "Take the ground truth that belongs to these queries and this base.");
    }

    /// <summary>Recall@k: the mean over all queries of |found ∩ true| / k, both cut to their first k. Ties count as given.</summary>
    /// <param name="found">Ids found, shape [<see cref="QueryCount"/>, <paramref name="foundPerQuery"/>], best first, without
    /// repetition; <see cref="Missing"/> where there were fewer.</param>
    /// <param name="foundPerQuery">Length of a row of <paramref name="found"/>, at least <paramref name="k"/>.</param>
    /// <param name="k">1 .. K.</param>
    /// <exception cref="ProblemException">k is more than K.</exception>
    public double Recall(ReadOnlySpan<uint> found, int foundPerQuery, int k)
    {
        if (k < 1 || k > K)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "k of recall@k", $"{k}", $"1 .. {K}", "Take a smaller k or compute a deeper ground truth."));
        }

        Check.That(QueryCount > 0 && foundPerQuery >= k && found.Length == (long)QueryCount * foundPerQuery);
        long hits = 0;
        var expected = new HashSet<uint>(k);
        for (int query = 0; query < QueryCount; query++)
        {
            expected.Clear();
            foreach (uint id in Ids(query)[..k])
            {
                expected.Add(id);
            }

            foreach (uint id in found.Slice(query * foundPerQuery, k))
            {
                hits += expected.Remove(id) ? 1 : 0; // removed, so that an id found twice counts once
            }
        }

        return hits / ((double)QueryCount * k);
    }

    private static GroundTruth ReadVecs(FileSource source)
    {
        VectorLayout layout = VecsFormat.Read(source, VectorFormat.Ivecs);
        int k = layout.Dim;
        uint[] ids = AllocateIds(source, layout.Count, k);
        int rowsPerChunk = Math.Max(1, (1 << 18) / (k + 1));
        uint[] records = new uint[rowsPerChunk * (k + 1)];
        for (int from = 0; from < layout.Count; from += rowsPerChunk)
        {
            int rows = (int)Math.Min(rowsPerChunk, layout.Count - from);
            source.Read(layout.RecordOffset(from), MemoryMarshal.AsBytes(records.AsSpan(0, rows * (k + 1))), "rows");
            for (int row = 0; row < rows; row++)
            {
                ReadOnlySpan<uint> record = records.AsSpan(row * (k + 1), k + 1);
                VecsFormat.CheckDim(source, layout, from + row, (int)record[0]);
                CheckIds(source, layout.RowOffset(from + row), record[1..]);
                record[1..].CopyTo(ids.AsSpan((from + row) * k));
            }
        }

        return new GroundTruth(k, ids);
    }

    private static GroundTruth ReadBin(FileSource source)
    {
        uint queries = source.ReadUInt32(0, "a query count");
        int k = VectorLayout.CheckDim(source, 4, source.ReadUInt32(4, "a K"));
        long idBytes = (long)queries * k * ValueBytes;
        long body = source.Length - BinFormat.HeaderBytes;
        if (queries == 0 || (body != idBytes && body != 2 * idBytes))
        {
            long with = BinFormat.HeaderBytes + (2 * idBytes);
            throw source.Bad(
                queries == 0 ? 0 : source.Length,
                $"a file of {source.Length} bytes for {queries} queries of {k}",
                $"{BinFormat.HeaderBytes + idBytes} bytes, or {with} with distances, and at least one query");
        }

        uint[] ids = AllocateIds(source, queries, k);
        source.Read(BinFormat.HeaderBytes, MemoryMarshal.AsBytes(ids.AsSpan()), "ids");
        CheckIds(source, BinFormat.HeaderBytes, ids);
        float[]? distances = body == idBytes ? null : new float[ids.Length];
        long distancesAt = BinFormat.HeaderBytes + idBytes;
        source.Read(distancesAt, MemoryMarshal.AsBytes(distances.AsSpan()), "distances");
        int bad = distances.AsSpan().IndexOf(float.NaN);
        return bad < 0
            ? new GroundTruth(k, ids, distances)
            : throw source.Bad(distancesAt + ((long)bad * ValueBytes), "NaN", "a distance");
    }

    private static void CheckIds(FileSource source, long offset, ReadOnlySpan<uint> ids)
    {
        int bad = ids.IndexOfAnyInRange(1u + int.MaxValue, uint.MaxValue);
        if (bad >= 0)
        {
            throw source.Bad(offset + ((long)bad * ValueBytes), $"id {(int)ids[bad]}", $"an id in 0 .. {int.MaxValue}");
        }
    }

    private static uint[] AllocateIds(FileSource source, long queries, int k) => queries * k <= MaxIds
        ? new uint[queries * k]
        : throw new ProblemException(new Problem(
            ProblemCode.NotSupported, $"the truth {source.Path}", $"{queries} x {k} ids", $"at most {MaxIds}", "Take fewer queries."));

    private static Problem? UnknownFormat(string path, out bool vecs)
    {
        string extension = Path.GetExtension(path).ToLowerInvariant();
        vecs = extension == VectorFormat.Ivecs.Extension();
        return vecs || extension is ".bin" or ".ibin" or ".gt"
            ? null
            : new Problem(
                ProblemCode.InvalidArgument,
                $"the format of {path}",
                extension.Length == 0 ? "no extension" : extension,
                ".ivecs .bin .ibin .gt",
                "Name the file after its format.");
    }
}
