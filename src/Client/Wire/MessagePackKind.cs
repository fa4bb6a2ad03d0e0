namespace Signpost.Client.Wire;

/// <summary>What a value is, whichever of its forms it has.</summary>
internal enum MessagePackKind
{
    Nil,
    Boolean,
    Integer,
    Float,
    String,
    Binary,
    Array,
    Map,
    Extension,
}
