using System.Globalization;
using System.Text;

namespace Signpost.Silo.Redis;

/// <summary>An answer of Redis: nothing, a number, bytes, a list of answers, or a refusal.</summary>
internal sealed class Reply(long number = 0, byte[]? bytes = null, Reply[]? items = null, string? error = null)
{
    /// <summary>Nothing.</summary>
    public static readonly Reply Nil = new();

    /// <summary>A number.</summary>
    public long Number => number;

    /// <summary>Bytes; null unless it is such an answer.</summary>
    public byte[]? Bytes => bytes;

    /// <summary>Answers; null unless it is a list.</summary>
    public Reply[]? Items => items;

    /// <summary>Why Redis refused; null where it did not.</summary>
    public string? Error => error;

    /// <summary>Whether a key or field was not there.</summary>
    public bool IsNil => ReferenceEquals(this, Nil);

    /// <summary>The bytes as text; null where there is nothing.</summary>
    public string? Text => Bytes is null ? null : Encoding.UTF8.GetString(Bytes);

    /// <summary>The bytes as a whole number: Lua's numbers travel as text, so that none is rounded.</summary>
    public long Whole => long.Parse(Bytes!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}

/// <summary>A part of a command.</summary>
internal readonly record struct Argument(byte[] Bytes)
{
    public static implicit operator Argument(byte[] bytes) => new(bytes);

    public static implicit operator Argument(string text) => new(Encoding.UTF8.GetBytes(text));

    public static implicit operator Argument(long number) => number.ToString(CultureInfo.InvariantCulture);
}
