using System.Runtime.Intrinsics;

namespace Signpost.Engine.Tests.Tidy;

/// <summary>`./signpost test` repeats the kernel tests with narrower vectors; these tests see that the switch worked.</summary>
public class SimdLaneTests
{
    private static int WidestBits =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    [Fact]
    public void Vectors_are_no_wider_than_the_lane_asks_for()
    {
        string? asked = Environment.GetEnvironmentVariable("SIGNPOST_SIMD_BITS");
        int most = asked is null ? 512 : int.Parse(asked);

        Assert.InRange(WidestBits, 0, most);
    }
}
