using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

public class VectorBlockTests
{
    [Fact]
    public void A_slice_keeps_the_memory_that_it_looks_into()
    {
        VectorBlock slice = SliceOfForgottenBlock(out WeakReference forgotten);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(forgotten.IsAlive);
        Assert.Equal(7, slice.RowSpan(1)[0]);
        GC.KeepAlive(slice);
    }

    [Fact]
    public void Rows_and_slices_outside_the_block_are_refused()
    {
        using VectorBlock block = VectorBlock.Allocate(4, 3, ElementType.UInt8);
        Assert.Throws<CheckFailedException>(() => block.RowSpan(4).Length);
        Assert.Throws<CheckFailedException>(() => block.RowSpan(-1).Length);
        Assert.Throws<CheckFailedException>(() => block.Slice(3, 2));
        Assert.Throws<CheckFailedException>(() => block.Slice(1, long.MaxValue));
        Assert.Equal(0, block.Slice(4, 0).Count);
    }

    [Fact]
    public void Gathered_rows_are_copied_in_the_order_asked_for()
    {
        using VectorBlock block = VectorBlock.Of([1, 2, 3, 4, 5, 6], dim: 2);
        using VectorBlock rows = block.Gather([2, 0, 2]);
        float[] values = new float[6];
        for (int row = 0; row < 3; row++)
        {
            rows.CopyRow(row, values.AsSpan(2 * row));
        }

        Assert.Equal([5, 6, 1, 2, 5, 6], values);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static VectorBlock SliceOfForgottenBlock(out WeakReference forgotten)
    {
        VectorBlock block = VectorBlock.Allocate(4, 3, ElementType.UInt8);
        Samples.Writable(block, 2)[0] = 7;
        forgotten = new WeakReference(block);
        return block.Slice(1, 3);
    }
}
