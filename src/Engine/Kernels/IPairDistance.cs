namespace Signpost.Engine.Kernels;

/// <summary>
/// The distance of two stored vectors under one metric and element type, as a type, so that the loop that uses it is compiled for it.
/// </summary>
public unsafe interface IPairDistance
{
    /// <summary>Smaller is closer. Any alignment; <paramref name="dim"/> components behind each pointer.</summary>
    static abstract float Between(byte* x, byte* y, int dim);
}

/// <summary>Code that wants to be compiled for one <see cref="IPairDistance"/>.</summary>
public interface IPairDistanceUser<out TResult>
{
    /// <summary>Called once with the chosen type.</summary>
    TResult Use<TPair>() where TPair : struct, IPairDistance;
}
