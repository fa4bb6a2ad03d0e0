using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

public sealed class VectorFileRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void What_is_written_is_read_again_for_every_format_type_and_shape()
    {
        var shapes = from pair in Gen.Elements(Samples.Pairs.ToArray())
                     from count in Gen.Choose(1, 40)
                     from dim in Gen.OneOf(Gen.Choose(1, 40), Gen.Choose(41, 1000))
                     from seed in Gen.Choose(0, int.MaxValue)
                     select (pair.Format, pair.Type, count, dim, seed);
        Prop.ForAll(shapes.ToArbitrary(), shape =>
        {
            string path = _folder.File("round" + shape.Format.Extension());
            using VectorBlock block = Samples.Block(shape.count, shape.dim, shape.Type, (ulong)shape.seed);
            VectorFile.Write(path, block);
            using VectorBlock read = VectorFile.Open(path);
            Samples.AssertSame(block, read);
            Assert.Equal(shape.count, VectorFile.Verify(path, Work.Quiet).Count);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_format_can_be_copied_into_every_other_that_holds_its_type()
    {
        foreach ((VectorFormat from, ElementType type) in Samples.Pairs)
        {
            using VectorBlock block = Samples.Block(7, 5, type, seed: 1);
            string source = _folder.File("from" + from.Extension());
            VectorFile.Write(source, block);
            foreach (VectorFormat to in Enum.GetValues<VectorFormat>().Where(format => format.Holds(type)))
            {
                using VectorBlock read = VectorFile.Open(source);
                string target = _folder.File("to" + to.Extension());
                VectorFile.Write(target, read);
                using VectorBlock copy = VectorFile.Open(target);
                Samples.AssertSame(block, copy);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_file_of_many_chunks_is_the_same_for_any_number_of_threads(int threads)
    {
        using VectorBlock block = Samples.Block(9_000, 96, ElementType.Float32, seed: 2);
        string path = _folder.File("many.fvecs");
        VectorFile.Write(path, block, new Work(threads));
        using VectorBlock read = VectorFile.Open(path);
        Samples.AssertSame(block, read);
        Assert.Equal(block.Count * (block.RowBytes + 4), new FileInfo(path).Length);
    }

    [Theory]
    [InlineData(".fbin")]
    [InlineData(".npy")]
    public void No_vectors_at_all_can_be_stored_where_the_header_says_the_dimension(string extension)
    {
        using VectorBlock none = VectorBlock.Allocate(0, 12, ElementType.Float32);
        string path = _folder.File("none" + extension);
        VectorFile.Write(path, none);
        using VectorBlock read = VectorFile.Open(path);
        Assert.Equal((0, 12), (read.Count, read.Dim));
    }

    [Fact]
    public void A_slice_of_a_mapped_file_is_written_without_its_gaps()
    {
        using VectorBlock block = Samples.Block(20, 3, ElementType.Float32, seed: 3);
        VectorFile.Write(_folder.File("a.fvecs"), block);
        using VectorBlock mapped = VectorFile.Open(_folder.File("a.fvecs"));
        VectorFile.Write(_folder.File("b.fbin"), mapped.Slice(5, 10));
        using VectorBlock read = VectorFile.Open(_folder.File("b.fbin"));
        Samples.AssertSame(block.Slice(5, 10), read);
    }

    [Fact]
    public void Writing_replaces_a_file_whole_and_a_mapping_of_the_old_one_goes_on()
    {
        string path = _folder.File("a.fbin");
        using VectorBlock old = Samples.Block(10, 4, ElementType.Float32, seed: 4);
        using VectorBlock next = Samples.Block(3, 9, ElementType.Float32, seed: 5);
        VectorFile.Write(path, old);
        using VectorBlock mapped = VectorFile.Open(path);
        VectorFile.Write(path, next);
        using VectorBlock read = VectorFile.Open(path);
        Samples.AssertSame(next, read);
        Samples.AssertSame(old, mapped);
        Assert.Equal(["a.fbin"], _folder.Names);
    }

    [Fact]
    public void A_cancelled_write_leaves_the_old_file_and_nothing_else()
    {
        string path = _folder.File("a.fbin");
        using VectorBlock old = Samples.Block(10, 4, ElementType.Float32, seed: 6);
        VectorFile.Write(path, old);
        var cancelled = new Work(1, null, new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => VectorFile.Write(path, old.Slice(0, 5), cancelled));
        using VectorBlock read = VectorFile.Open(path);
        Samples.AssertSame(old, read);
        Assert.Equal(["a.fbin"], _folder.Names);
    }

    public void Dispose() => _folder.Dispose();
}
