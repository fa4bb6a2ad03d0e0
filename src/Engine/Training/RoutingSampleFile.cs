using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>The bytes of a <see cref="RoutingSample"/>, as a shard sends it to the trainer.</summary>
/// <remarks>
/// Little-endian, one record, nothing after it:
/// <code>
/// offset  bytes  field
///      0      8  magic "SIGNPRTS"
///      8      2  format version: 1
///     10      1  metric: 0 squared L2, 1 inner product, 2 cosine
///     11      1  0
///     12      4  dim: 1 .. 65,536
///     16      4  version of the quantizer
///     20     24  numbers of queries, vertices, records, candidates, positives, negatives: 4 bytes each
///     44      4  CRC-32C of the payload
///     48      4  CRC-32C of bytes 0 .. 47
///     52         payload: queries, vertices, vectors, query of each record, hop, length of the walk, starts of candidates, candidates,
///                distances, starts of positives, positives, starts of negatives, negatives (all of 4 bytes), is right (of 1 byte)
/// </code>
/// </remarks>
public static class RoutingSampleFile
{
    private const int HeaderBytes = 52;
    private const int MaxDim = 65_536;
    private const ushort FormatVersion = 1;

    /// <summary>Bytes read at once, so that sizes no stream holds are found out before memory for them is taken.</summary>
    private const int PieceBytes = 1 << 24;

    private static ReadOnlySpan<byte> Magic => "SIGNPRTS"u8;

    /// <summary>Writes <paramref name="sample"/>.</summary>
    public static void Write(RoutingSample sample, Stream target)
    {
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), FormatVersion);
        header[10] = (byte)sample.Metric;
        int[] numbers =
        [
            sample.Dim, (int)sample.QuantizerVersion, sample.QueryCount, sample.VertexCount, sample.RecordCount, sample.CandidateCount,
            sample.Positives.Length, sample.Negatives.Length,
        ];
        MemoryMarshal.AsBytes<int>(numbers).CopyTo(header.AsSpan(12));
        uint checksum = 0;
        ForEachPart(sample, part => checksum = Crc32C.Compute(part, checksum));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(44), checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(48), Crc32C.Compute(header.AsSpan(0, 48)));
        target.Write(header);
        ForEachPart(sample, part => target.Write(part));
    }

    /// <summary>Reads a sample; <paramref name="source"/> must end with it.</summary>
    /// <param name="source">At its beginning.</param>
    /// <param name="name">For the error.</param>
    /// <exception cref="BadFileException">The bytes are cut, flipped, foreign or impossible.</exception>
    public static RoutingSample Read(Stream source, string name)
    {
        var reader = new Reader(source, name);
        Header header = ParseHeader(reader.Take<byte>(HeaderBytes), name);
        (int queries, int vertices, int records) = (header.Queries, header.Vertices, header.Records);
        var sample = new RoutingSample
        {
            Dim = header.Dim,
            Metric = header.Metric,
            QuantizerVersion = header.QuantizerVersion,
            Queries = reader.Take<float>((long)queries * header.Dim),
            Vertices = reader.Take<uint>(vertices),
            Vectors = reader.Take<float>((long)vertices * header.Dim),
            RecordQueries = reader.Take<int>(records),
            RecordHops = reader.Take<int>(records),
            RecordLengths = reader.Take<int>(records),
            CandidateStarts = reader.Take<int>(records + 1),
            Candidates = reader.Take<int>(header.Candidates),
            Distances = reader.Take<float>(header.Candidates),
            PositiveStarts = reader.Take<int>(queries + 1),
            Positives = reader.Take<int>(header.Positives),
            NegativeStarts = reader.Take<int>(queries + 1),
            Negatives = reader.Take<int>(header.Negatives),
            IsRight = reader.Take<byte>(header.Candidates),
        };
        Require(source.ReadByte() < 0, name, reader.Offset, "more bytes", "the end of the sample");
        uint checksum = 0;
        ForEachPart(sample, part => checksum = Crc32C.Compute(part, checksum));
        Require(checksum == header.PayloadChecksum, name, 44, $"checksum {header.PayloadChecksum:x8}", $"{checksum:x8}, that of the payload");
        string? fault = sample.Fault();
        Require(fault is null, name, HeaderBytes, fault!, "a sample that a shard can give");
        return sample;
    }

    private delegate void PartAction(ReadOnlySpan<byte> part);

    private readonly record struct Header(
        int Dim, Metric Metric, uint QuantizerVersion, int Queries, int Vertices, int Records, int Candidates, int Positives, int Negatives,
        uint PayloadChecksum);

    /// <summary>The payload, part by part, in its order.</summary>
    private static void ForEachPart(RoutingSample sample, PartAction action)
    {
        Do(sample.Queries);
        Do(sample.Vertices);
        Do(sample.Vectors);
        Do(sample.RecordQueries);
        Do(sample.RecordHops);
        Do(sample.RecordLengths);
        Do(sample.CandidateStarts);
        Do(sample.Candidates);
        Do(sample.Distances);
        Do(sample.PositiveStarts);
        Do(sample.Positives);
        Do(sample.NegativeStarts);
        Do(sample.Negatives);
        Do(sample.IsRight);

        void Do<T>(T[] values)
            where T : unmanaged
        {
            int step = PieceBytes / 8;
            for (int from = 0; from < values.Length; from += step)
            {
                action(MemoryMarshal.AsBytes<T>(values.AsSpan(from, Math.Min(step, values.Length - from))));
            }
        }
    }

    private static Header ParseHeader(ReadOnlySpan<byte> header, string name)
    {
        Require(header.StartsWith(Magic), name, 0, Convert.ToHexString(header[..8]), "the magic \"SIGNPRTS\"");
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(header[48..]);
        uint checksum = Crc32C.Compute(header[..48]);
        Require(stored == checksum, name, 48, $"checksum {stored:x8}", $"{checksum:x8}, that of the header");
        ushort format = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        Require(format == FormatVersion, name, 8, $"format version {format}", $"{FormatVersion}");
        Require(header[10] <= 2, name, 10, $"metric {header[10]}", "0 (L2), 1 (inner product) or 2 (cosine)");
        var numbers = new int[8];
        header.Slice(12, 32).CopyTo(MemoryMarshal.AsBytes(numbers.AsSpan()));
        Require(numbers[0] is >= 1 and <= MaxDim, name, 12, $"dim {numbers[0]}", $"1 .. {MaxDim}");
        for (int i = 2; i < numbers.Length; i++)
        {
            long most = i < 4 ? Array.MaxLength / numbers[0] : Array.MaxLength - 1;
            Require(numbers[i] >= 0 && numbers[i] <= most, name, 12 + 4 * i, $"{(uint)numbers[i]}", $"at most {most}");
        }

        return new Header(
            numbers[0], (Metric)header[10], (uint)numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7],
            BinaryPrimitives.ReadUInt32LittleEndian(header[44..]));
    }

    private static void Require(bool holds, string name, long offset, string got, string expected)
    {
        if (!holds)
        {
            throw new BadFileException(name, offset, got, expected);
        }
    }

    private sealed class Reader(Stream source, string name)
    {
        public long Offset { get; private set; }

        /// <summary>The next <paramref name="count"/> values. Memory grows with what has been read.</summary>
        public T[] Take<T>(long count)
            where T : unmanaged
        {
            int step = PieceBytes / 8;
            var values = new T[Math.Min(count, step)];
            for (int done = 0; done < count;)
            {
                if (done == values.Length)
                {
                    Array.Resize(ref values, (int)Math.Min(count, 2L * values.Length));
                }

                Span<byte> piece = MemoryMarshal.AsBytes(values.AsSpan(done, Math.Min(step, values.Length - done)));
                int read = source.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false);
                Offset += read;
                Require(read == piece.Length, name, Offset, "the end of the sample", $"{piece.Length - read} more bytes");
                done += Math.Min(step, values.Length - done);
            }

            return values;
        }
    }
}
