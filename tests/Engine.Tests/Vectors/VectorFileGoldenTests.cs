using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

/// <summary>The bytes of every format, written out by hand: two vectors of three components.</summary>
public sealed class VectorFileGoldenTests : IDisposable
{
    private static readonly byte[] Floats1 = Convert.FromHexString("0000803F" + "000000C0" + "0000003F"); // 1, -2, 0.5
    private static readonly byte[] Floats2 = Convert.FromHexString("00000000" + "0000C842" + "00000080"); // 0, 100, -0
    private static readonly byte[] Halves = Convert.FromHexString("003C00C00038" + "000040560080"); // the same
    private static readonly byte[] Bytes1 = [0x00, 0x7F, 0x80];
    private static readonly byte[] Bytes2 = [0x01, 0xFF, 0xFE];
    private static readonly byte[] Three = [3, 0, 0, 0];
    private static readonly byte[] TwoThree = [2, 0, 0, 0, 3, 0, 0, 0];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, ElementType, byte[], float[]> Files()
    {
        float[] floats = [1, -2, 0.5f, 0, 100, -0f];
        float[] unsigned = [0, 127, 128, 1, 255, 254];
        float[] signed = [0, 127, -128, 1, -1, -2];
        return new()
        {
            { ".fvecs", ElementType.Float32, [.. Three, .. Floats1, .. Three, .. Floats2], floats },
            { ".bvecs", ElementType.UInt8, [.. Three, .. Bytes1, .. Three, .. Bytes2], unsigned },
            { ".fbin", ElementType.Float32, [.. TwoThree, .. Floats1, .. Floats2], floats },
            { ".u8bin", ElementType.UInt8, [.. TwoThree, .. Bytes1, .. Bytes2], unsigned },
            { ".i8bin", ElementType.Int8, [.. TwoThree, .. Bytes1, .. Bytes2], signed },
            { ".npy", ElementType.Float32, [.. NpyHeader("<f4"), .. Floats1, .. Floats2], floats },
            { ".npy", ElementType.Float16, [.. NpyHeader("<f2"), .. Halves], floats },
            { ".npy", ElementType.UInt8, [.. NpyHeader("|u1"), .. Bytes1, .. Bytes2], unsigned },
            { ".npy", ElementType.Int8, [.. NpyHeader("|i1"), .. Bytes1, .. Bytes2], signed },
        };
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_is_read_and_written_byte_for_byte(string extension, ElementType type, byte[] content, float[] values)
    {
        string path = _folder.File("golden" + extension, content);
        using VectorBlock block = VectorFile.Open(path);
        Assert.Equal((2, 3, type), (block.Count, block.Dim, block.Type));
        float[] read = new float[6];
        block.CopyRow(0, read);
        block.CopyRow(1, read.AsSpan(3));
        Assert.Equal(values, read);
        Assert.Equal(
            new VectorFileInfo(path, VectorFormats.Of(path).OrThrow(), 2, 3, type, content.Length), VectorFile.Inspect(path));

        string copy = _folder.File("copy" + extension);
        VectorFile.Write(copy, block);
        Assert.Equal(content, File.ReadAllBytes(copy));
    }

    [Theory]
    [InlineData(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n")]
    [InlineData(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n")]
    [InlineData(3, "{\"shape\":(2,3,),\"descr\":\"<f4\",\"fortran_order\":False}\n")]
    public void Npy_headers_of_all_versions_and_spellings_are_read(byte major, string header)
    {
        byte[] content = [.. Samples.Npy(header, 0, major), .. Floats1, .. Floats2];
        using VectorBlock block = VectorFile.Open(_folder.File("a.npy", content));
        Assert.Equal((2, 3, ElementType.Float32), (block.Count, block.Dim, block.Type));
        Assert.Equal(Floats2, block.RowSpan(1).ToArray());
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>As NumPy writes it: 128 bytes with the prefix, spaces, one line feed.</summary>
    private static byte[] NpyHeader(string type)
    {
        string dictionary = $"{{'descr': '{type}', 'fortran_order': False, 'shape': (2, 3), }}";
        return [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(dictionary.PadRight(117)), 0x0A];
    }
}
