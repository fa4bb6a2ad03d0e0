using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

public sealed class VectorFileRefusalTests : IDisposable
{
    private const string Good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, byte[], long> DamagedFiles() => new()
    {
        { "empty.fvecs", [], 0 },
        { "short.bvecs", [1, 0], 2 },
        { "zero dimension.fvecs", Samples.Ints(0, 0), 0 },
        { "negative dimension.bvecs", Samples.Ints(-1, 0), 0 },
        { "absurd dimension.ivecs", Samples.Ints(65_537, 0), 0 },
        { "half a record.fvecs", Samples.Ints(2, 7, 7, 2, 7), 12 },
        { "dimension differs in row 1.fvecs", Samples.Ints(1, 7, 2, 7, 1, 7), 8 },
        { "dimension differs in the last row.ivecs", Samples.Ints(1, 7, 1, 7, 3, 7), 16 },
        { "empty.fbin", [], 0 },
        { "short.u8bin", [1, 0, 0, 0, 1], 5 },
        { "zero dimension.i8bin", Samples.Ints(1, 0), 4 },
        { "absurd dimension.u8bin", Samples.Ints(1, -1), 4 },
        { "a row too few.fbin", Samples.Ints(2, 1, 7), 12 },
        { "a row too many.fbin", Samples.Ints(1, 1, 7, 7), 16 },
        { "a byte too many.u8bin", [.. Samples.Ints(1, 1), 7, 7], 10 },
        { "a count of 4 billion.fbin", Samples.Ints(-1, 65_536, 7), 12 },
        { "empty.npy", [], 0 },
        { "foreign.npy", new byte[64], 0 },
        { "version 4.npy", Samples.Npy(Good, 24, major: 4), 6 },
        { "version 1.1.npy", Samples.Npy(Good, 24, minor: 1), 6 },
        { "no header length.npy", Samples.Npy("", 0)[..9], 9 },
        { "header longer than the file.npy", Samples.Npy(Good, 0)[..40], 8 },
        { "header of 2 GB.npy", [.. Samples.Npy(Good, 24, 2)[..8], 0, 0, 0, 0x80, .. new byte[99]], 8 },
        { "header of 70,000 bytes.npy", Samples.Npy(new string(' ', 70_000), 24, 2), 8 },
        { "a value too few.npy", Samples.Npy(Good, 20), 90 },
        { "a byte too many.npy", Samples.Npy(Good, 25), 95 },
    };

    public static TheoryData<string, int> RefusedHeaders() => new()
    {
        { "", 0 },
        { "\n", 0 },
        { "[]\n", 0 },
        { "{}\n", 0 },
        { "{'descr': '<f4', 'fortran_order': False, }\n", 0 },
        { Good.Replace("<f4", ">f4"), 10 },
        { Good.Replace("<f4", "<f8"), 10 },
        { Good.Replace("<f4", "<i4"), 10 },
        { Good.Replace("<f4", "|f4"), 10 },
        { Good.Replace("'<f4'", "[('a', '<f4')]"), 10 },
        { Good.Replace("'<f4'", "'<f4"), 10 },
        { Good.Replace("'<f4'", "'<f4é'"), 10 },
        { Good.Replace("False", "True"), 34 },
        { Good.Replace("False", "0"), 34 },
        { Good.Replace("(2, 3)", "()"), 50 },
        { Good.Replace("(2, 3)", "(6,)"), 50 },
        { Good.Replace("(2, 3)", "6"), 50 },
        { Good.Replace("(2, 3)", "(1, 2, 3)"), 50 },
        { Good.Replace("(2, 3)", "(2 3)"), 53 },
        { Good.Replace("(2, 3)", "(2, -3)"), 54 },
        { Good.Replace("(2, 3)", "(2, 3.0)"), 55 },
        { Good.Replace("(2, 3)", "(2, 1+2)"), 55 },
        { Good.Replace("(2, 3)", "(,2, 3)"), 51 },
        { Good.Replace("(2, 3)", "(2, 0)"), 54 },
        { Good.Replace("(2, 3)", "(2, 70000)"), 54 },
        { Good.Replace("(2, 3)", "(9223372036854775808, 3)"), 51 },
        { Good.Replace("descr", "dtype"), 1 },
        { Good.Replace("}", "'descr': '<f4', }"), 58 },
        { Good.Replace("}", "'more': 1, }"), 58 },
        { Good.Replace("}", ""), 58 },
        { Good.Replace("\n", ""), 59 },
        { Good.Replace("\n", "\n\n"), 59 },
        { Good.Replace("\n", "x\n"), 59 },
        { Good.Replace(":", ""), 9 },
    };

    [Theory]
    [MemberData(nameof(DamagedFiles))]
    public void A_damaged_file_is_refused_with_path_and_offset(string name, byte[] content, long offset)
    {
        string path = _folder.File(name, content);
        BadFileException refused = Assert.Throws<BadFileException>(() => VectorFile.Inspect(path));
        Assert.Equal((path, offset), (refused.Path, refused.Offset));
        Assert.NotEmpty(refused.Got);
        Assert.NotEmpty(refused.Expected);
        if (!name.EndsWith(".ivecs", StringComparison.Ordinal))
        {
            Assert.Equal(refused.Message, Assert.Throws<BadFileException>(() => VectorFile.Open(path)).Message);
        }
    }

    [Theory]
    [MemberData(nameof(RefusedHeaders))]
    public void An_npy_header_that_is_not_exactly_right_is_refused_where_it_is_wrong(string header, int at)
    {
        string path = _folder.File("a.npy", Samples.Npy(header, 24));
        BadFileException refused = Assert.Throws<BadFileException>(() => VectorFile.Open(path));
        Assert.Equal(10 + at, refused.Offset);
    }

    [Fact]
    public void An_npy_array_of_more_bytes_than_64_bits_count_is_refused()
    {
        string header = Good.Replace("(2, 3)", "(4611686018427387904, 4)"); // 2^62 rows of 2^4 bytes: 0 modulo 2^64
        string path = _folder.File("a.npy", Samples.Npy(header, 0));
        Assert.Throws<BadFileException>(() => VectorFile.Open(path));
    }

    [Fact]
    public void Only_verify_sees_a_wrong_dimension_between_the_sampled_rows_and_names_the_lowest()
    {
        string path = _folder.File("a.fvecs", LongFile(12_345, 23_456));
        using VectorBlock opened = VectorFile.Open(path);
        Assert.Equal(40_000, opened.Count);
        Assert.Equal(12_345 * 8, Assert.Throws<BadFileException>(() => VectorFile.Verify(path, new Work(3))).Offset);
    }

    [Fact]
    public void Opening_a_long_file_looks_at_its_last_row_too()
    {
        string path = _folder.File("a.fvecs", LongFile(39_999));
        Assert.Equal(39_999 * 8, Assert.Throws<BadFileException>(() => VectorFile.Open(path)).Offset);
    }

    [Theory]
    [InlineData(float.NaN, ".fvecs", ElementType.Float32, (4 + 28) * 9 + 4 + 20)]
    [InlineData(float.PositiveInfinity, ".fbin", ElementType.Float32, 8 + 28 * 9 + 20)]
    [InlineData(float.NegativeInfinity, ".npy", ElementType.Float16, 128 + 14 * 9 + 10)]
    public void Verify_finds_the_component_that_is_not_finite(float value, string extension, ElementType type, long offset)
    {
        using VectorBlock block = Samples.Block(20, 7, type, seed: 1);
        Span<byte> component = Samples.Writable(block, 9).Slice(5 * type.Bytes(), type.Bytes());
        (type == ElementType.Float32 ? BitConverter.GetBytes(value) : BitConverter.GetBytes((Half)value)).CopyTo(component);
        string path = _folder.File("a" + extension);
        VectorFile.Write(path, block);
        Assert.Equal(20, VectorFile.Inspect(path).Count);
        BadFileException refused = Assert.Throws<BadFileException>(() => VectorFile.Verify(path, new Work(2)));
        Assert.Equal(offset, refused.Offset);
        Assert.Contains("row 9", refused.Got);
    }

    [Fact]
    public void A_missing_file_a_folder_and_an_unknown_extension_are_problems()
    {
        Directory.CreateDirectory(_folder.File("folder.fbin"));
        Assert.Equal(ProblemCode.NotFound, Refused(() => VectorFile.Open(_folder.File("none.fbin"))));
        Assert.Equal(ProblemCode.NotFound, Refused(() => VectorFile.Open(_folder.File("folder.fbin"))));
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => VectorFile.Open(_folder.File("a.txt", [1]))));
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => VectorFile.Inspect(_folder.File("fvecs", [1]))));
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => VectorFile.Open(_folder.File("ids.ivecs", Samples.Ints(1, 2)))));
        Assert.Equal(VectorFormat.Npy, VectorFormats.Of("/data/UPPER.NPY").OrThrow());
    }

    [Fact]
    public void What_a_format_cannot_hold_is_refused_before_anything_is_written()
    {
        foreach (VectorFormat format in Enum.GetValues<VectorFormat>())
        {
            foreach (ElementType type in Enum.GetValues<ElementType>().Where(type => !format.Holds(type)))
            {
                using VectorBlock block = Samples.Block(2, 2, type, seed: 1);
                Assert.Equal(ProblemCode.InvalidArgument, Refused(() => VectorFile.Write(_folder.File("a" + format.Extension()), block)));
            }
        }

        using VectorBlock none = VectorBlock.Allocate(0, 2, ElementType.Float32);
        using VectorBlock wide = VectorBlock.Allocate(1, 65_537, ElementType.Float32);
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => VectorFile.Write(_folder.File("none.fvecs"), none)));
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => VectorFile.Write(_folder.File("wide.npy"), wide)));
        Assert.Equal(ProblemCode.NotFound, Refused(() => VectorFile.Write(_folder.File("no/such/a.npy"), none)));
        Assert.Empty(_folder.Names);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>fvecs of 40,000 rows of one component, some of which claim two.</summary>
    private static byte[] LongFile(params int[] badRows)
    {
        int[] values = new int[80_000];
        for (int row = 0; row < 40_000; row++)
        {
            values[2 * row] = badRows.Contains(row) ? 2 : 1;
        }

        return Samples.Ints(values);
    }

    private static ProblemCode Refused(Action action) => Assert.Throws<ProblemException>(action).Problem.Code;
}
