using System.Buffers.Binary;
using System.Text;

namespace Signpost.Client.Wire;

/// <summary>
/// Reads MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) from bytes that nobody vouches for. A number is read from
/// whatever width it has, as long as its value fits. All else is strict: a value of another kind, a length that is more than what is
/// left, and bytes that end too early are a <see cref="MessagePackException"/>; nothing is allocated for a length before it is checked.
/// </summary>
internal ref struct MessagePackReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>Arrays and maps inside one another that <see cref="Skip"/> follows.</summary>
    public const int MostDepth = 32;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Bytes read so far.</summary>
    public int Offset { get; private set; }

    /// <summary>Whether everything has been read.</summary>
    public readonly bool IsAtEnd => Offset == _bytes.Length;

    /// <summary>What comes next.</summary>
    public readonly MessagePackKind Next => IsAtEnd ? throw TooShort(1, "a value") : KindOf(_bytes[Offset]) ?? throw Wrong("a value");

    private readonly int Left => _bytes.Length - Offset;

    /// <summary>Reads nil, if that is what comes next.</summary>
    public bool TryReadNil()
    {
        bool isNil = Next == MessagePackKind.Nil;
        Offset += isNil ? 1 : 0;
        return isNil;
    }

    public bool ReadBoolean()
    {
        Expect(MessagePackKind.Boolean);
        return TakeByte() == 0xC3;
    }

    /// <summary>An integer of any width, in [<paramref name="min"/>, <paramref name="max"/>].</summary>
    public long ReadInt64(long min = long.MinValue, long max = long.MaxValue)
    {
        int start = Offset;
        ulong bits = ReadInteger(out bool isNegative);
        bool fits = isNegative ? (long)bits >= min && (long)bits <= max : bits <= long.MaxValue && (long)bits >= min && (long)bits <= max;
        return fits
            ? (long)bits
            : throw new MessagePackException(start, isNegative ? $"{(long)bits}" : $"{bits}", $"an integer in [{min}, {max}]");
    }

    public int ReadInt32(int min = int.MinValue, int max = int.MaxValue) => (int)ReadInt64(min, max);

    /// <summary>An integer of any width that is not negative.</summary>
    public ulong ReadUInt64()
    {
        int start = Offset;
        ulong bits = ReadInteger(out bool isNegative);
        return isNegative ? throw new MessagePackException(start, $"{(long)bits}", $"an integer in [0, {ulong.MaxValue}]") : bits;
    }

    /// <summary>A float of 32 bits; one of 64 bits would lose digits and is refused.</summary>
    public float ReadSingle()
    {
        Expect(MessagePackKind.Float, "a float of 32 bits");
        return _bytes[Offset] == 0xCA ? BinaryPrimitives.ReadSingleBigEndian(TakeBehindCode(sizeof(float))) : throw Wrong("a float of 32 bits");
    }

    /// <summary>A float of 32 or 64 bits.</summary>
    public double ReadDouble()
    {
        Expect(MessagePackKind.Float);
        return _bytes[Offset] == 0xCA
            ? BinaryPrimitives.ReadSingleBigEndian(TakeBehindCode(sizeof(float)))
            : BinaryPrimitives.ReadDoubleBigEndian(TakeBehindCode(sizeof(double)));
    }

    public string ReadString()
    {
        ReadOnlySpan<byte> text = TakeText();
        try
        {
            return Utf8.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            throw new MessagePackException(Offset - text.Length, "bytes that are not UTF-8", "text");
        }
    }

    /// <summary>A byte block, where it lies: it ends at <see cref="Offset"/>.</summary>
    public ReadOnlySpan<byte> ReadBinary()
    {
        Expect(MessagePackKind.Binary);
        return Take(TakeNumber(1 << (TakeByte() - 0xC4)));
    }

    /// <summary>How many values of an array follow; not more than can be in what is left.</summary>
    public int ReadArrayHeader()
    {
        Expect(MessagePackKind.Array);
        return ReadCount(0xDC, leastBytes: 1);
    }

    /// <summary>How many pairs of key and value of a map follow; not more than can be in what is left.</summary>
    public int ReadMapHeader()
    {
        Expect(MessagePackKind.Map);
        return ReadCount(0xDE, leastBytes: 2);
    }

    /// <summary>Passes over one value with all that is in it.</summary>
    public void Skip() => Skip(MostDepth);

    private void Skip(int depth)
    {
        int start = Offset;
        switch (Next)
        {
            case MessagePackKind.Nil or MessagePackKind.Boolean:
                Take(1);
                break;
            case MessagePackKind.Integer:
                ReadInteger(out _);
                break;
            case MessagePackKind.Float:
                ReadDouble();
                break;
            case MessagePackKind.String:
                TakeText();
                break;
            case MessagePackKind.Binary:
                ReadBinary();
                break;
            case MessagePackKind.Extension:
                SkipExtension();
                break;
            case var kind when depth == 0:
                throw new MessagePackException(start, $"{kind} below {MostDepth} others", $"at most {MostDepth} arrays and maps inside one another");
            case var kind:
                int values = kind == MessagePackKind.Array ? ReadArrayHeader() : 2 * ReadMapHeader();
                for (int i = 0; i < values; i++)
                {
                    Skip(depth - 1);
                }

                break;
        }
    }

    /// <summary>The bytes of a text, whatever they are.</summary>
    private ReadOnlySpan<byte> TakeText()
    {
        Expect(MessagePackKind.String);
        byte code = TakeByte();
        return Take(code <= 0xBF ? code & 0x1F : TakeNumber(1 << (code - 0xD9)));
    }

    /// <summary>An application's own value: a code, its length where the code does not tell it, a byte of type, the bytes.</summary>
    private void SkipExtension()
    {
        byte code = TakeByte();
        int length = code >= 0xD4 ? 1 << (code - 0xD4) : TakeNumber(1 << (code - 0xC7));
        Take(1);
        Take(length);
    }

    /// <summary>The value of an integer; of a negative one its two's complement.</summary>
    private ulong ReadInteger(out bool isNegative)
    {
        Expect(MessagePackKind.Integer);
        byte code = _bytes[Offset];
        long value = code switch
        {
            0xCC => TakeBehindCode(1)[0],
            0xCD => BinaryPrimitives.ReadUInt16BigEndian(TakeBehindCode(sizeof(ushort))),
            0xCE => BinaryPrimitives.ReadUInt32BigEndian(TakeBehindCode(sizeof(uint))),
            0xCF or 0xD3 => BinaryPrimitives.ReadInt64BigEndian(TakeBehindCode(sizeof(long))),
            0xD0 => (sbyte)TakeBehindCode(1)[0],
            0xD1 => BinaryPrimitives.ReadInt16BigEndian(TakeBehindCode(sizeof(short))),
            0xD2 => BinaryPrimitives.ReadInt32BigEndian(TakeBehindCode(sizeof(int))),
            _ => (sbyte)TakeByte(), // 0x00 .. 0x7F and 0xE0 .. 0xFF are their own values
        };
        isNegative = value < 0 && code != 0xCF;
        return (ulong)value;
    }

    private int ReadCount(byte code16, int leastBytes)
    {
        int start = Offset;
        byte code = TakeByte();
        long count = code < 0xA0 ? code & 0x0F : TakeUnsigned(code == code16 ? sizeof(ushort) : sizeof(uint));
        return count <= Left / leastBytes
            ? (int)count
            : throw new MessagePackException(start, $"{count} values in {Left} bytes", $"at most {Left / leastBytes}");
    }

    /// <summary>A length of <paramref name="width"/> bytes, not more than what is left behind it.</summary>
    private int TakeNumber(int width)
    {
        int start = Offset;
        long length = TakeUnsigned(width);
        return length <= Left ? (int)length : throw new MessagePackException(start, $"a length of {length} bytes", $"at most {Left}, what is left");
    }

    private long TakeUnsigned(int width)
    {
        ReadOnlySpan<byte> bytes = Take(width);
        return width switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            _ => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        };
    }

    private byte TakeByte() => Take(1)[0];

    private ReadOnlySpan<byte> TakeBehindCode(int count) => Take(1 + count)[1..];

    private ReadOnlySpan<byte> Take(int count)
    {
        ReadOnlySpan<byte> taken = count <= Left ? _bytes.Slice(Offset, count) : throw TooShort(count, $"{count} bytes");
        Offset += count;
        return taken;
    }

    private readonly void Expect(MessagePackKind kind, string? words = null)
    {
        words ??= kind.ToString();
        if (IsAtEnd)
        {
            throw TooShort(1, words);
        }

        if (KindOf(_bytes[Offset]) != kind)
        {
            throw Wrong(words);
        }
    }

    private readonly MessagePackException TooShort(int count, string expected) =>
        new(Offset, Left == 0 ? "the end" : $"{Left} bytes to the end", count == 1 ? expected : $"{count} bytes");

    private readonly MessagePackException Wrong(string expected)
    {
        byte code = _bytes[Offset];
        return new MessagePackException(Offset, $"0x{code:X2} ({KindOf(code)?.ToString() ?? "no value begins so"})", expected);
    }

    /// <summary>What the first byte of a value says; null for 0xC1, which begins none.</summary>
    private static MessagePackKind? KindOf(byte code) => code switch
    {
        <= 0x7F or >= 0xE0 or (>= 0xCC and <= 0xD3) => MessagePackKind.Integer,
        <= 0x8F or 0xDE or 0xDF => MessagePackKind.Map,
        <= 0x9F or 0xDC or 0xDD => MessagePackKind.Array,
        <= 0xBF or (>= 0xD9 and <= 0xDB) => MessagePackKind.String,
        0xC0 => MessagePackKind.Nil,
        0xC2 or 0xC3 => MessagePackKind.Boolean,
        >= 0xC4 and <= 0xC6 => MessagePackKind.Binary,
        0xCA or 0xCB => MessagePackKind.Float,
        (>= 0xC7 and <= 0xC9) or (>= 0xD4 and <= 0xD8) => MessagePackKind.Extension,
        _ => null,
    };
}
