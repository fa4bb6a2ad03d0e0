namespace Signpost.Engine.Vectors;

/// <summary>What "near" means. Inside the engine smaller is always closer; the values are those of the file formats.</summary>
public enum Metric : byte
{
    /// <summary>Squared Euclidean distance.</summary>
    L2 = 0,

    /// <summary>Inner product; the internal distance is its negative.</summary>
    InnerProduct = 1,

    /// <summary>One minus the cosine of the angle. Vectors need not be normalised; the zero vector is refused.</summary>
    Cosine = 2,
}

/// <summary>Type of a vector's components; the values are those of the file formats.</summary>
public enum ElementType : byte
{
    Float32 = 0,
    Float16 = 1,
    UInt8 = 2,
    Int8 = 3,
}

/// <summary>Sizes of <see cref="ElementType"/>.</summary>
public static class ElementTypes
{
    /// <summary>Bytes of one component.</summary>
    public static int Bytes(this ElementType type) => type switch
    {
        ElementType.Float32 => 4,
        ElementType.Float16 => 2,
        ElementType.UInt8 or ElementType.Int8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
    };
}
