using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class BuildInputTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void The_first_row_that_is_not_finite_is_named_whatever_the_threads(float bad)
    {
        float[] rows = new float[3 * 30_000];
        foreach (int row in (int[])[29_000, 12_345, 20_000])
        {
            rows[(3 * row) + 1] = bad;
        }

        using VectorBlock vectors = VectorBlock.Of(rows, 3);

        foreach (int threads in (int[])[1, 3])
        {
            Problem? problem = new BuildInput(vectors).Inspect(Metric.L2, new Work(threads)).Problem;

            Assert.Equal(ProblemCode.InvalidComponent, problem?.Code);
            Assert.Equal("vector of row 12345", problem!.What);
            Assert.Equal($"{bad} as component 1", problem.Got);
        }
    }

    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.Int8)]
    public void The_zero_vector_is_refused_under_cosine_and_only_there(ElementType type)
    {
        using VectorBlock vectors = VectorBlock.Allocate(3, 4, type);
        Span<byte> row = stackalloc byte[4 * type.Bytes()];
        foreach (int i in (int[])[0, 2])
        {
            Elements.FromFloat([0, 0, 1, 0], type, row);
            unsafe
            {
                row.CopyTo(new Span<byte>(vectors.Row(i), row.Length));
            }
        }

        var input = new BuildInput(vectors);

        Problem? problem = input.Inspect(Metric.Cosine, Work.Quiet).Problem;
        Assert.Equal(ProblemCode.ZeroVector, problem?.Code);
        Assert.Equal("vector of row 1", problem!.What);
        Assert.True(input.Inspect(Metric.L2, Work.Quiet).Ok);
        Assert.True(input.Inspect(Metric.InnerProduct, Work.Quiet).Ok);
    }

    [Fact]
    public void No_vectors_are_refused()
    {
        using VectorBlock none = VectorBlock.Allocate(0, 4, ElementType.UInt8);

        Assert.Equal(ProblemCode.InvalidArgument, new BuildInput(none).Inspect(Metric.L2, Work.Quiet).Problem?.Code);
    }

    [Fact]
    public void Ids_that_are_too_few_or_not_unique_are_refused()
    {
        using VectorBlock vectors = ShardTest.Bytes(3);

        Assert.Equal("ids", new BuildInput(vectors, (ulong[])[1, 2]).Inspect(Metric.L2, Work.Quiet).Problem?.What);
        Assert.Equal("7 twice", new BuildInput(vectors, (ulong[])[7, 2, 7]).Inspect(Metric.L2, Work.Quiet).Problem?.Got);
        Assert.True(new BuildInput(vectors, (ulong[])[7, 2, 8]).Inspect(Metric.L2, Work.Quiet).Ok);
    }

    [Fact]
    public unsafe void The_hash_depends_on_every_row_its_place_and_its_id_and_not_on_the_threads()
    {
        using VectorBlock vectors = ShardTest.Bytes(10_000);
        ulong[] ids = [.. Enumerable.Range(0, 10_000).Select(i => (ulong)i + 5)];
        ulong Hash(ulong[]? of, int threads) => new BuildInput(vectors, of).Inspect(Metric.L2, new Work(threads)).OrThrow();
        ulong before = Hash(null, 1);

        Assert.Equal(before, Hash(null, 3));
        Assert.NotEqual(before, Hash(ids, 1));

        (ids[3], ids[4]) = (ids[4], ids[3]);
        ulong swapped = Hash(ids, 1);
        (ids[3], ids[4]) = (ids[4], ids[3]);
        Assert.NotEqual(Hash(ids, 1), swapped);

        foreach (long row in (long[])[0, 4095, 4096, 9_999])
        {
            vectors.Row(row)[1] ^= 1;
            Assert.NotEqual(before, Hash(null, 1));
            vectors.Row(row)[1] ^= 1;
        }

        Assert.Equal(before, Hash(null, 1));
    }

    [Fact]
    public void Rows_of_the_shards_are_all_rows_once_ascending_by_id()
    {
        using VectorBlock vectors = ShardTest.Bytes(500);
        ulong[] ids = [.. Enumerable.Range(0, 500).Select(i => Seeded.Mix((ulong)i + 1))];
        var input = new BuildInput(vectors, ids);
        SlotRange[] ranges = Slots.Split(7);
        long[] counts = input.CountPerShard(ranges, new Work(2));
        var seen = new List<long>();

        for (int i = 0; i < ranges.Length; i++)
        {
            (long[] rows, ulong[] rowIds) = input.RowsOf(ranges[i], counts[i]);

            Assert.Equal(rowIds, rows.Select(row => ids[row]));
            Assert.Equal(rowIds.Order(), rowIds);
            Assert.All(rowIds, id => Assert.True(ranges[i].Owns(id)));
            seen.AddRange(rows);
        }

        Assert.Equal(Enumerable.Range(0, 500).Select(i => (long)i), seen.Order());
    }
}
