using System.Buffers.Binary;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>The bytes of a quantizer.</summary>
/// <remarks>
/// Little-endian, one record, nothing before or after it:
/// <code>
/// offset  bytes  field
///      0      8  magic "SIGNPQTZ"
///      8      2  format version: 2
///     10      1  kind: 1 PQ, 2 OPQ, 3 RPQ
///     11      1  metric: 0 squared L2, 1 inner product, 2 cosine
///     12      4  dim: 1 .. 65,536
///     16      4  M: 1 .. rotated dim
///     20      4  K: 16 or 256
///     24      4  version of the training
///     28      4  rotated dim: rows of the rotation, 1 .. dim; 0: no rotation
///     32      8  payload bytes: 4 (K w + w dim) with a rotation, w being the rotated dim; 4 K dim without
///     40      4  refinement of codes: isotropy, float32, above 0; 0: none
///     44      4  refinement of codes: sweeps, 1 .. 16; 0: none
///     48      4  CRC-32C of the payload
///     52      4  CRC-32C of bytes 0 .. 51
///     56         payload, float32: rotation [w, dim] if present, then the M codebooks, each [K, width of its subspace]
/// </code>
/// Subspace m has w / M components, one more where m is below w % M. Every float is finite; the rows of the rotation are orthonormal
/// to 1e-3. Only RPQ refines its codes.
/// </remarks>
public static class QuantizerFile
{
    private const int HeaderBytes = 56;
    private const int MaxDim = 65_536;
    private const int MaxSweeps = 16;
    private const ushort FormatVersion = 2;
    private const double RotationTolerance = 1e-3;

    private static ReadOnlySpan<byte> Magic => "SIGNPQTZ"u8;

    /// <summary>The file of <paramref name="quantizer"/>.</summary>
    public static byte[] Serialize(IQuantizer quantizer)
    {
        Refinement? refinement = (quantizer as RoutingProductQuantizer)?.Refinement;
        var source = (quantizer as RoutingProductQuantizer)?.Parameters ?? quantizer as ProductQuantizer;
        Check.That(source is not null); // there is no other kind of quantizer
        Check.That(source.Rotation.Length == 0 || Rotations.Skewness(source.Rotation, source.Dim, Work.Quiet) <= RotationTolerance); // it could not be read again
        var bytes = new byte[HeaderBytes + ((source.Rotation.Length + (long)source.Codewords.Length) * sizeof(float))];
        Span<byte> payload = bytes.AsSpan(HeaderBytes);
        WriteFloats(source.Rotation, payload);
        WriteFloats(source.Codewords, payload[(source.Rotation.Length * sizeof(float))..]);

        Span<byte> header = bytes.AsSpan(0, HeaderBytes);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], FormatVersion);
        header[10] = (byte)source.Kind;
        header[11] = (byte)source.Metric;
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)source.Dim);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], (uint)source.M);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], (uint)source.K);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], source.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header[28..], (uint)(source.Rotation.Length / source.Dim));
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], (ulong)payload.Length);
        BinaryPrimitives.WriteSingleLittleEndian(header[40..], refinement?.Isotropy ?? 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[44..], (uint)(refinement?.Sweeps ?? 0));
        BinaryPrimitives.WriteUInt32LittleEndian(header[48..], Crc32C.Compute(payload));
        BinaryPrimitives.WriteUInt32LittleEndian(header[52..], Crc32C.Compute(header[..52]));
        return bytes;
    }

    /// <summary>The quantizer in <paramref name="bytes"/>; everything is checked before anything is made.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="path">Name of the file, for the error.</param>
    /// <exception cref="BadFileException">The bytes are cut, flipped, foreign or impossible.</exception>
    public static IQuantizer Parse(ReadOnlySpan<byte> bytes, string path)
    {
        Header header = ParseHeader(bytes, path);
        ReadOnlySpan<byte> payload = bytes[HeaderBytes..];
        uint checksum = Crc32C.Compute(payload);
        Require(
            checksum == header.PayloadChecksum, path, 48, $"checksum {header.PayloadChecksum:x8}", $"{checksum:x8}, that of the payload");
        int width = header.RotatedDim == 0 ? header.Dim : header.RotatedDim;
        float[] rotation = ReadFloats(payload, header.RotatedDim * header.Dim, HeaderBytes, path);
        int rotationBytes = rotation.Length * sizeof(float);
        float[] codewords = ReadFloats(payload[rotationBytes..], header.K * width, HeaderBytes + rotationBytes, path);
        if (header.RotatedDim > 0)
        {
            double skewness = Rotations.Skewness(rotation, header.Dim, Work.Quiet);
            Require(skewness <= RotationTolerance, path, HeaderBytes, $"R R^T - I up to {skewness:g3}", "an orthonormal rotation");
        }

        var quantizer = new ProductQuantizer(
            header.Kind, header.Metric, header.Dim, header.M, header.K, header.Version, codewords, rotation);
        return header.Kind == QuantizerKind.Rpq ? new RoutingProductQuantizer(quantizer, header.Refinement) : quantizer;
    }

    private readonly record struct Header(
        QuantizerKind Kind, Metric Metric, int Dim, int M, int K, uint Version, int RotatedDim, Refinement? Refinement, uint PayloadChecksum);

    private static Header ParseHeader(ReadOnlySpan<byte> bytes, string path)
    {
        int magic = Math.Min(bytes.Length, Magic.Length);
        Require(bytes[..magic].SequenceEqual(Magic[..magic]), path, 0, Convert.ToHexString(bytes[..magic]), "the magic \"SIGNPQTZ\"");
        Require(bytes.Length >= HeaderBytes, path, bytes.Length, "the end of the file", $"a header of {HeaderBytes} bytes");
        ReadOnlySpan<byte> header = bytes[..HeaderBytes];
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(header[52..]);
        uint checksum = Crc32C.Compute(header[..52]);
        Require(stored == checksum, path, 52, $"checksum {stored:x8}", $"{checksum:x8}, that of the header");
        ushort format = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        Require(format == FormatVersion, path, 8, $"format version {format}", $"{FormatVersion}");
        Require(header[10] is >= 1 and <= 3, path, 10, $"kind {header[10]}", "1 (PQ), 2 (OPQ) or 3 (RPQ)");
        Require(header[11] <= 2, path, 11, $"metric {header[11]}", "0 (L2), 1 (inner product) or 2 (cosine)");
        uint dim = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        Require(dim is >= 1 and <= MaxDim, path, 12, $"dim {dim}", $"1 .. {MaxDim}");
        uint rotated = BinaryPrimitives.ReadUInt32LittleEndian(header[28..]);
        Require(rotated <= dim, path, 28, $"rotated dim {rotated}", $"0 .. {dim}");
        long width = rotated == 0 ? dim : rotated;
        uint m = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        Require(m >= 1 && m <= width, path, 16, $"M = {m}", $"1 .. {width}");
        uint k = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
        Require(k is 16 or 256, path, 20, $"K = {k}", "16 or 256");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        long expected = sizeof(float) * ((k * width) + (rotated * (long)dim));
        Require(length == (ulong)expected, path, 32, $"{length} payload bytes", $"{expected}");
        Require(bytes.Length >= HeaderBytes + expected, path, bytes.Length, "the end of the file", $"{expected} payload bytes");
        Require(bytes.Length == HeaderBytes + expected, path, HeaderBytes + expected, "more bytes", "the end of the file");
        return new Header(
            (QuantizerKind)header[10], (Metric)header[11], (int)dim, (int)m, (int)k, BinaryPrimitives.ReadUInt32LittleEndian(header[24..]),
            (int)rotated, ParseRefinement(header, path), BinaryPrimitives.ReadUInt32LittleEndian(header[48..]));
    }

    private static Refinement? ParseRefinement(ReadOnlySpan<byte> header, string path)
    {
        float isotropy = BinaryPrimitives.ReadSingleLittleEndian(header[40..]);
        uint sweeps = BinaryPrimitives.ReadUInt32LittleEndian(header[44..]);
        Require(isotropy >= 0 && float.IsFinite(isotropy), path, 40, $"isotropy {isotropy}", "0 or a finite number above");
        Require(sweeps <= MaxSweeps && sweeps > 0 == isotropy > 0, path, 44, $"{sweeps} sweeps", $"1 .. {MaxSweeps} with an isotropy above 0, else 0");
        Require(sweeps == 0 || header[10] == (byte)QuantizerKind.Rpq, path, 44, $"{sweeps} sweeps", $"0 for a quantizer of kind {header[10]}");
        return sweeps == 0 ? null : new Refinement(isotropy, (int)sweeps);
    }

    private static void WriteFloats(ReadOnlySpan<float> values, Span<byte> target)
    {
        for (int i = 0; i < values.Length; i++)
        {
            Check.That(float.IsFinite(values[i]));
            BinaryPrimitives.WriteSingleLittleEndian(target[(i * sizeof(float))..], values[i]);
        }
    }

    private static float[] ReadFloats(ReadOnlySpan<byte> source, int count, long offset, string path)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(source[(i * sizeof(float))..]);
            Require(float.IsFinite(values[i]), path, offset + (long)i * sizeof(float), $"{values[i]}", "a finite number");
        }

        return values;
    }

    private static void Require(bool holds, string path, long offset, string got, string expected)
    {
        if (!holds)
        {
            throw new BadFileException(path, offset, got, expected);
        }
    }
}
