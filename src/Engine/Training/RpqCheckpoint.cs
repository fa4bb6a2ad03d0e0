using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>The bytes of a training of RPQ that is not finished, at a look at the graph: it goes on from there with equal results.</summary>
/// <remarks>
/// Little-endian, one record, nothing after it. Its length follows from the settings and the dimension, which the fingerprint covers:
/// <code>
/// offset  bytes  field
///      0      8  magic "SIGNPRPQ"
///      8      4  format version: 2
///     12      4  CRC-32C of the payload
///     16      8  fingerprint of the settings and the collection
///     24      8  payload bytes
///     32      4  CRC-32C of bytes 0 .. 31
///     36         payload: 9 int64, 8 float64 (see <see cref="Counters"/> and <see cref="Measures"/>), then float32: axes, rotation that the
///                training began with, codewords, rotation and temperatures now, the same of the best, the moments of the optimisers of
///                codewords, temperatures and, where it is learned, rotation, and the skew matrix where the map is exponential
/// </code>
/// </remarks>
internal static class RpqCheckpoint
{
    private const int HeaderBytes = 36;
    private const int CounterCount = 9;
    private const int MeasureCount = 8;
    private const int FormatVersion = 2;

    private static ReadOnlySpan<byte> Magic => "SIGNPRPQ"u8;

    private delegate void PartAction(Span<byte> part);

    /// <summary>What a checkpoint must be of to be gone on from.</summary>
    public static ulong Fingerprint(RpqOptions options, int dim, string identity) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{dim} {identity} {options}")));

    /// <summary>The file of <paramref name="state"/>.</summary>
    public static byte[] Serialize(RpqState state, ulong fingerprint)
    {
        var payload = new MemoryStream();
        payload.Write(MemoryMarshal.AsBytes(Counters(state).AsSpan()));
        payload.Write(MemoryMarshal.AsBytes(Measures(state).AsSpan()));
        payload.Write(MemoryMarshal.AsBytes(state.Space.Axes.AsSpan()));
        payload.Write(MemoryMarshal.AsBytes(state.RotationBase.AsSpan()));
        ForEachPart(state, part => payload.Write(part));
        var bytes = new byte[HeaderBytes + payload.Length];
        payload.ToArray().CopyTo(bytes, HeaderBytes);
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Crc32C.Compute(bytes.AsSpan(HeaderBytes)));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(32), Crc32C.Compute(bytes.AsSpan(0, 32)));
        return bytes;
    }

    /// <summary>The training in <paramref name="bytes"/>.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="options">Of the training, as <paramref name="fingerprint"/> says.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="fingerprint">Of the training that is to go on.</param>
    /// <exception cref="BadFileException">The bytes are cut, flipped, foreign, of another training or impossible.</exception>
    public static RpqState Parse(ReadOnlySpan<byte> bytes, RpqOptions options, int dim, ulong fingerprint)
    {
        CheckHeader(bytes, fingerprint);
        var reader = new Reader(bytes[HeaderBytes..].ToArray());
        var counters = new long[CounterCount];
        var measures = new double[MeasureCount];
        reader.Fill(MemoryMarshal.AsBytes(counters.AsSpan()));
        reader.Fill(MemoryMarshal.AsBytes(measures.AsSpan()));
        int width = (int)counters[^1];
        Require(width >= options.M && width <= dim, HeaderBytes, $"rotated dim {counters[^1]}", $"{options.M} .. {dim}");
        var axes = new float[width == dim ? 0 : width * dim];
        var rotationBase = new float[width * width];
        reader.Fill(MemoryMarshal.AsBytes(axes.AsSpan()));
        reader.Fill(MemoryMarshal.AsBytes(rotationBase.AsSpan()));
        var parameters = new RpqParameters(
            width, options.M, options.K, new float[options.K * width], new float[width * width], new float[options.M]);
        float isotropy = (float)measures[^1];
        Require(isotropy >= 0 && float.IsFinite(isotropy), HeaderBytes, $"isotropy {isotropy}", "0 or more");
        Refinement? refinement = isotropy > 0 ? (options.Refinement ?? new Refinement()) with { Isotropy = isotropy } : null;
        var state = new RpqState(options, new RpqSpace(dim, (float)measures[0], axes), parameters, rotationBase, refinement);
        ForEachPart(state, reader.Fill);
        Require(reader.Left == 0, bytes.Length - reader.Left, "more bytes", "the end of the file");
        Restore(state, counters, measures);
        return state;
    }

    private static long[] Counters(RpqState state) =>
    [
        state.Step, state.Skipped, state.Judged, state.Stale, state.BestStep, state.Codewords.Steps, state.Temperatures.Steps,
        state.Rotation?.Optimiser.Steps ?? 0, state.Parameters.Dim,
    ];

    private static double[] Measures(RpqState state) =>
    [
        state.Space.Scale, state.StartScore.Recall, state.StartScore.Agreement, state.BestScore.Recall, state.BestScore.Agreement,
        state.Seconds, state.StepSeconds, state.Refinement?.Isotropy ?? 0,
    ];

    private static void Restore(RpqState state, long[] counters, double[] measures)
    {
        (state.Step, state.Skipped, state.Judged, state.Stale, state.BestStep) = (counters[0], counters[1], counters[2], counters[3], counters[4]);
        (state.Codewords.Steps, state.Temperatures.Steps) = (counters[5], counters[6]);
        if (state.Rotation is not null)
        {
            state.Rotation.Optimiser.Steps = counters[7];
        }

        state.StartScore = new RoutingScore(measures[1], measures[2]);
        state.BestScore = new RoutingScore(measures[3], measures[4]);
        (state.Seconds, state.StepSeconds) = (measures[5], measures[6]);
    }

    /// <summary>Every array of the state, to be read or written in place.</summary>
    private static void ForEachPart(RpqState state, PartAction action)
    {
        foreach (RpqParameters parameters in (RpqParameters[])[state.Parameters, state.Best])
        {
            action(MemoryMarshal.AsBytes(parameters.Codewords.AsSpan()));
            action(MemoryMarshal.AsBytes(parameters.Rotation.AsSpan()));
            action(MemoryMarshal.AsBytes(parameters.LogTemperatures.AsSpan()));
        }

        foreach (Adam? optimiser in (Adam?[])[state.Codewords, state.Temperatures, state.Rotation?.Optimiser])
        {
            action(MemoryMarshal.AsBytes((optimiser?.Mean).AsSpan()));
            action(MemoryMarshal.AsBytes((optimiser?.MeanSquare).AsSpan()));
        }

        action(MemoryMarshal.AsBytes(((state.Rotation as ExponentialRotation)?.Lower).AsSpan()));
    }

    private static void CheckHeader(ReadOnlySpan<byte> bytes, ulong fingerprint)
    {
        Require(bytes.Length >= HeaderBytes, bytes.Length, "the end of the file", $"a header of {HeaderBytes} bytes");
        Require(bytes.StartsWith(Magic), 0, Convert.ToHexString(bytes[..8]), "the magic \"SIGNPRPQ\"");
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]);
        uint checksum = Crc32C.Compute(bytes[..32]);
        Require(stored == checksum, 32, $"checksum {stored:x8}", $"{checksum:x8}, that of the header");
        int format = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        Require(format == FormatVersion, 8, $"format version {format}", $"{FormatVersion}");
        ulong of = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        Require(of == fingerprint, 16, $"training {of:x16}", $"{fingerprint:x16}");
        long length = BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]);
        Require(length == bytes.Length - HeaderBytes, 24, $"{bytes.Length - HeaderBytes} payload bytes", $"{length}");
        stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        checksum = Crc32C.Compute(bytes[HeaderBytes..]);
        Require(stored == checksum, 12, $"checksum {stored:x8}", $"{checksum:x8}, that of the payload");
    }

    private static void Require(bool holds, long offset, string got, string expected)
    {
        if (!holds)
        {
            throw new BadFileException("checkpoint", offset, got, expected);
        }
    }

    private sealed class Reader(byte[] payload)
    {
        private int _at;

        public int Left => payload.Length - _at;

        public void Fill(Span<byte> part)
        {
            Require(part.Length <= Left, HeaderBytes + payload.Length, "the end of the file", $"{part.Length - Left} more bytes");
            payload.AsSpan(_at, part.Length).CopyTo(part);
            _at += part.Length;
        }
    }
}
