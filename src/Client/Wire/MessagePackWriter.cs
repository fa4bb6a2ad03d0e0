using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Signpost.Client.Wire;

/// <summary>
/// Writes MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), every value in its shortest form. After the head of an
/// array or a map the caller writes as many values, or pairs of key and value, as the head says.
/// </summary>
internal readonly struct MessagePackWriter(IBufferWriter<byte> output)
{
    public void WriteNil() => WriteCode(0xC0);

    public void Write(bool value) => WriteCode(value ? (byte)0xC3 : (byte)0xC2);

    public void Write(long value)
    {
        switch (value)
        {
            case >= 0:
                Write((ulong)value);
                break;
            case >= -32:
                WriteCode((byte)value);
                break;
            case >= sbyte.MinValue:
                WriteCode(0xD0, 1)[0] = (byte)value;
                break;
            case >= short.MinValue:
                BinaryPrimitives.WriteInt16BigEndian(WriteCode(0xD1, sizeof(short)), (short)value);
                break;
            case >= int.MinValue:
                BinaryPrimitives.WriteInt32BigEndian(WriteCode(0xD2, sizeof(int)), (int)value);
                break;
            default:
                BinaryPrimitives.WriteInt64BigEndian(WriteCode(0xD3, sizeof(long)), value);
                break;
        }
    }

    public void Write(ulong value)
    {
        switch (value)
        {
            case <= 0x7F:
                WriteCode((byte)value);
                break;
            case <= uint.MaxValue:
                WriteUnsigned(0xCC, (uint)value);
                break;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(WriteCode(0xCF, sizeof(ulong)), value);
                break;
        }
    }

    public void Write(float value) => BinaryPrimitives.WriteSingleBigEndian(WriteCode(0xCA, sizeof(float)), value);

    public void Write(double value) => BinaryPrimitives.WriteDoubleBigEndian(WriteCode(0xCB, sizeof(double)), value);

    public void Write(string value)
    {
        int bytes = Encoding.UTF8.GetByteCount(value);
        if (bytes <= 31)
        {
            WriteCode((byte)(0xA0 | bytes));
        }
        else
        {
            WriteUnsigned(0xD9, (uint)bytes);
        }

        Encoding.UTF8.GetBytes(value, Room(bytes));
    }

    public void Write(ReadOnlySpan<byte> binary) => binary.CopyTo(WriteBinary(binary.Length));

    /// <summary>Writes the head of a byte block; the caller fills the block, before anything else is written.</summary>
    /// <param name="length">Bytes.</param>
    public Span<byte> WriteBinary(int length)
    {
        WriteUnsigned(0xC4, (uint)length);
        return Room(length);
    }

    public void WriteArrayHeader(int count) => WriteCount(0x90, 0xDC, count);

    public void WriteMapHeader(int count) => WriteCount(0x80, 0xDE, count);

    /// <summary>A count below 16 stands in the code itself; the codes for 2 and 4 bytes follow one another.</summary>
    private void WriteCount(byte shortCode, byte longCode, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        switch (count)
        {
            case <= 15:
                WriteCode((byte)(shortCode | count));
                break;
            case <= ushort.MaxValue:
                BinaryPrimitives.WriteUInt16BigEndian(WriteCode(longCode, sizeof(ushort)), (ushort)count);
                break;
            default:
                BinaryPrimitives.WriteUInt32BigEndian(WriteCode((byte)(longCode + 1), sizeof(uint)), (uint)count);
                break;
        }
    }

    /// <summary>The code for a number of 1 byte, or the next two for 2 and 4 bytes, and the number.</summary>
    private void WriteUnsigned(byte code, uint value)
    {
        switch (value)
        {
            case <= byte.MaxValue:
                WriteCode(code, 1)[0] = (byte)value;
                break;
            case <= ushort.MaxValue:
                BinaryPrimitives.WriteUInt16BigEndian(WriteCode((byte)(code + 1), sizeof(ushort)), (ushort)value);
                break;
            default:
                BinaryPrimitives.WriteUInt32BigEndian(WriteCode((byte)(code + 2), sizeof(uint)), value);
                break;
        }
    }

    private void WriteCode(byte code) => Room(1)[0] = code;

    /// <summary>Writes the code; what is returned is the room behind it.</summary>
    private Span<byte> WriteCode(byte code, int bytes)
    {
        Span<byte> room = Room(1 + bytes);
        room[0] = code;
        return room[1..];
    }

    /// <summary>Takes the next bytes of the output: they may be filled until it is asked for more.</summary>
    private Span<byte> Room(int bytes)
    {
        Span<byte> room = output.GetSpan(bytes)[..bytes];
        output.Advance(bytes);
        return room;
    }
}
