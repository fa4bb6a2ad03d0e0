namespace Signpost.Grains.Wire;

/// <summary>Sizes that messages between silos keep to. What is larger is refused before it is sent, and again where it arrives.</summary>
internal sealed record WireLimits
{
    /// <summary>Most hits that a search may ask of another silo. 1,048,576: their answer fits <see cref="SearchAnswerBytes"/>.</summary>
    public int K { get; init; } = 1 << 20;

    /// <summary>Most searches of a message. 64: their answer comes with the slowest of them, and more would save little.</summary>
    public int Searches { get; init; } = 64;

    /// <summary>Most bytes of a message of searches. 4 MiB: a thousand vectors of a thousand components.</summary>
    public int SearchBytes { get; init; } = 4 << 20;

    /// <summary>Most bytes of the answer to searches.</summary>
    public int SearchAnswerBytes { get; init; } = 16 << 20;

    /// <summary>Most bytes of another message. 256 MiB: a quantizer with a rotation of 8,000 components.</summary>
    public int ControlBytes { get; init; } = 256 << 20;

    /// <summary>Most bytes of the answer to another message. 1 GiB: a training sample of 65,536 vectors of 4,000 components.</summary>
    public int ControlAnswerBytes { get; init; } = 1 << 30;
}
