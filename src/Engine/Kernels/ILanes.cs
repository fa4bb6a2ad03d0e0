namespace Signpost.Engine.Kernels;

/// <summary>
/// Arithmetic on <typeparamref name="V"/>, a vector of 32-bit units. Operands and sums have the same size: a unit of an operand is
/// one float32, or two int16 side by side; a unit of a sum is one float32, or one int32.
/// </summary>
/// <remarks>
/// Floats and integers, 512 bits and a single unit all look alike through this, so that each metric and each tile is one loop.
/// </remarks>
internal unsafe interface ILanes<V>
    where V : struct
{
    /// <summary>32-bit units of a vector.</summary>
    static abstract int Units { get; }

    /// <summary>Reads a vector of units; any alignment.</summary>
    static abstract V Load(byte* units);

    /// <summary>Writes a vector of units; any alignment.</summary>
    static abstract void Store(V value, byte* units);

    /// <summary>Every unit is the one at <paramref name="unit"/>.</summary>
    static abstract V Broadcast(byte* unit);

    /// <summary>Clears the bits of an operand that are not in <paramref name="mask"/>.</summary>
    static abstract V And(V operand, V mask);

    /// <summary>Difference of two operands.</summary>
    static abstract V Subtract(V a, V b);

    /// <summary>Sum plus the products of two operands, unit by unit (the two products of an integer unit are added).</summary>
    static abstract V MultiplyAdd(V a, V b, V sum);

    /// <summary>Sum of two sums.</summary>
    static abstract V Add(V a, V b);

    /// <summary>All units of a sum added.</summary>
    static abstract float Total(V sum);
}

/// <summary>How components of one type are read as an operand.</summary>
internal unsafe interface IElement<V>
    where V : struct
{
    /// <summary>Bytes of a component.</summary>
    static abstract int Bytes { get; }

    /// <summary>Components per operand.</summary>
    static abstract int Count { get; }

    /// <summary>Reads the next <see cref="Count"/> components; any alignment.</summary>
    static abstract V Load(byte* components);
}
