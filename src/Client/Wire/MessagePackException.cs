namespace Signpost.Client.Wire;

/// <summary>Bytes that are not the MessagePack that was expected: where, what was there, what should have been.</summary>
internal sealed class MessagePackException(int offset, string got, string expected) : FormatException($"at byte {offset}: got {got}, expected {expected}")
{
    /// <summary>Offset of the first byte that is wrong.</summary>
    public int Offset { get; } = offset;

    /// <summary>What was found there.</summary>
    public string Got { get; } = got;

    /// <summary>What should be there.</summary>
    public string Expected { get; } = expected;
}
