using System.Text;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>What an npy header says.</summary>
internal readonly record struct NpyHeader(ElementType Type, long Count, int Dim);

/// <summary>
/// Reads the dictionary of an npy header: the keys descr, fortran_order and shape, each once, in any order, then spaces and one
/// line feed. It understands this one shape of dictionary and nothing else of Python.
/// </summary>
/// <param name="source">The file, for the errors.</param>
/// <param name="start">Byte offset of the header in it.</param>
/// <param name="text">The header.</param>
internal ref struct NpyHeaderParser(FileSource source, long start, ReadOnlySpan<byte> text)
{
    private const int LongestString = 32;

    private readonly ReadOnlySpan<byte> _text = text;
    private int _at;

    public NpyHeader Parse()
    {
        ElementType? type = null;
        bool? fortranOrder = null;
        (long Count, int Dim)? shape = null;
        Take('{');
        while (!TryTake('}'))
        {
            int keyAt = _at;
            string key = TakeString();
            Take(':');
            switch (key)
            {
                case "descr" when type is null:
                    type = TakeType();
                    break;
                case "fortran_order" when fortranOrder is null:
                    fortranOrder = TakeFalse();
                    break;
                case "shape" when shape is null:
                    shape = TakeShape();
                    break;
                default:
                    throw Bad(keyAt, $"the key '{key}'", "descr, fortran_order and shape, each once");
            }

            if (!TryTake(','))
            {
                Take('}');
                break;
            }
        }

        TakeEnd();
        return type is { } t && shape is { } s && fortranOrder is not null
            ? new NpyHeader(t, s.Count, s.Dim)
            : throw Bad(0, "a header with a key missing", "descr, fortran_order and shape, each once");
    }

    private ElementType TakeType()
    {
        int at = SkipSpaces();
        string name = TakeString();
        return NpyFormat.TypeOf(name) ?? throw Bad(at, $"type '{name}'", "'<f4', '<f2', '|u1' or '|i1'");
    }

    private bool TakeFalse()
    {
        int at = SkipSpaces();
        if (_text[at..].StartsWith("False"u8))
        {
            _at += 5;
            return false;
        }

        throw Bad(at, "not False", "fortran_order False: rows one after the other");
    }

    private (long Count, int Dim) TakeShape()
    {
        int at = SkipSpaces();
        Take('(');
        Span<long> sizes = stackalloc long[2];
        int rank = 0;
        int dimAt = at;
        while (!TryTake(')'))
        {
            dimAt = SkipSpaces();
            long size = TakeNumber();
            if (rank == 2)
            {
                throw Bad(at, "an array of more than 2 dimensions", "a two-dimensional array");
            }

            sizes[rank++] = size;
            if (!TryTake(','))
            {
                Take(')');
                break;
            }
        }

        if (rank != 2)
        {
            throw Bad(at, $"an array of {rank} dimensions", "a two-dimensional array");
        }

        return (sizes[0], VectorLayout.CheckDim(source, start + dimAt, sizes[1]));
    }

    private long TakeNumber()
    {
        int at = _at;
        long value = 0;
        while (_at < _text.Length && _text[_at] is >= (byte)'0' and <= (byte)'9')
        {
            int digit = _text[_at] - '0';
            if (value > (long.MaxValue - digit) / 10)
            {
                throw Bad(at, "a number beyond 64 bits", "a size");
            }

            value = (value * 10) + digit;
            _at++;
        }

        return _at > at ? value : throw Bad(at, Here(), "a number");
    }

    private string TakeString()
    {
        int at = SkipSpaces();
        if (at == _text.Length || _text[at] is not ((byte)'\'' or (byte)'"'))
        {
            throw Bad(at, Here(), "a quoted string");
        }

        int length = _text[(at + 1)..].IndexOf(_text[at]);
        ReadOnlySpan<byte> content = length < 0 ? default : _text.Slice(at + 1, length);
        if (length is < 0 or > LongestString || content.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            throw Bad(at, "an unclosed, long or unprintable string", $"a quoted string of at most {LongestString} ASCII characters");
        }

        _at = at + length + 2;
        return Encoding.ASCII.GetString(content);
    }

    private void TakeEnd()
    {
        int at = SkipSpaces();
        if (at != _text.Length - 1 || _text[at] != (byte)'\n')
        {
            throw Bad(at, Here(), "spaces and one line feed to the end of the header");
        }
    }

    private void Take(char expected)
    {
        if (!TryTake(expected))
        {
            throw Bad(_at, Here(), $"'{expected}'");
        }
    }

    private bool TryTake(char wanted)
    {
        int at = SkipSpaces();
        if (at == _text.Length || _text[at] != wanted)
        {
            return false;
        }

        _at++;
        return true;
    }

    private int SkipSpaces()
    {
        while (_at < _text.Length && _text[_at] == (byte)' ')
        {
            _at++;
        }

        return _at;
    }

    private readonly string Here() => _at < _text.Length ? $"byte 0x{_text[_at]:X2}" : "the end of the header";

    private readonly BadFileException Bad(int at, string got, string expected) => source.Bad(start + at, got, expected);
}
