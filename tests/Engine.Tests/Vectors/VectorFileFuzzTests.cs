using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

/// <summary>Whatever the bytes of a file are, it opens as what it says it is, or is refused as damaged.</summary>
public sealed class VectorFileFuzzTests : IDisposable
{
    private const int Cases = 2_000;

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(VectorFormat.Fvecs)]
    [InlineData(VectorFormat.Bvecs)]
    [InlineData(VectorFormat.Fbin)]
    [InlineData(VectorFormat.U8bin)]
    [InlineData(VectorFormat.I8bin)]
    [InlineData(VectorFormat.Npy)]
    public void A_vector_file_with_any_damage_opens_whole_or_is_refused(VectorFormat format)
    {
        ElementType type = Samples.Pairs.First(pair => pair.Format == format).Type;
        using VectorBlock block = Samples.Block(6, 5, type, seed: 1);
        VectorFile.Write(_folder.File("good" + format.Extension()), block);
        byte[] good = File.ReadAllBytes(_folder.File("good" + format.Extension()));
        string path = _folder.File("bad" + format.Extension());
        int refused = 0;
        for (int number = 0; number < Cases; number++)
        {
            byte[] content = Damage(good, new Seeded((ulong)format, (ulong)number));
            Write(path, content);
            refused += Outcome(() => ReadEverything(path, content));
        }

        Assert.InRange(refused, Cases / 4, Cases - 1); // damage of components is not seen, damage of the shape is
    }

    [Theory]
    [InlineData("a.ivecs")]
    [InlineData("a.bin")]
    [InlineData("d.bin")]
    public void A_ground_truth_with_any_damage_opens_whole_or_is_refused(string name)
    {
        uint[] ids = [.. Enumerable.Range(0, 12).Select(i => (uint)i)];
        float[]? distances = name == "d.bin" ? [.. ids.Select(id => id / 2f)] : null;
        string path = _folder.File(name);
        new GroundTruth(3, ids, distances).Write(path);
        byte[] good = File.ReadAllBytes(path);
        int refused = 0;
        for (int number = 0; number < Cases; number++)
        {
            Write(path, Damage(good, new Seeded(99, (ulong)number)));
            refused += Outcome(() =>
            {
                GroundTruth truth = GroundTruth.Open(path);
                long values = (long)truth.QueryCount * truth.K * (truth.HasDistances ? 2 : 1);
                Assert.InRange(new FileInfo(path).Length, 4 * values, (4 * values) + (4 * truth.QueryCount) + 8);
            });
        }

        Assert.InRange(refused, Cases / 4, Cases - 1);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Into a new file: some file systems flush one that is cut and written again, which takes milliseconds.</summary>
    private static void Write(string path, byte[] content)
    {
        File.Delete(path);
        File.WriteAllBytes(path, content);
    }

    private static int Outcome(Action open)
    {
        try
        {
            open();
            return 0;
        }
        catch (BadFileException)
        {
            return 1;
        }
    }

    /// <summary>The rows together with the header are exactly the file, and every row is where the file has it.</summary>
    private static void ReadEverything(string path, byte[] content)
    {
        using VectorBlock block = VectorFile.Open(path);
        VectorFileInfo info = VectorFile.Inspect(path);
        Assert.Equal((info.Count, info.Dim, info.Type), (block.Count, block.Dim, block.Type));
        long header = content.Length - (block.Count * block.StrideBytes);
        Assert.InRange(header, 0, content.Length);
        for (long row = 0; row < block.Count; row++)
        {
            long end = header + ((row + 1) * block.StrideBytes);
            Assert.True(block.RowSpan(row).SequenceEqual(content.AsSpan((int)end - block.RowBytes, block.RowBytes)));
        }
    }

    private static byte[] Damage(byte[] good, Seeded random)
    {
        byte[] content = [.. good];
        switch (random.Next(5))
        {
            case 0:
                return content[..random.Next(content.Length)];
            case 1:
                return [.. content, .. Noise(ref random, 1 + random.Next(64))];
            case 2: // a bit in the header, or in what repeats it
                content[random.Next(Math.Min(content.Length, 96))] ^= (byte)(1 << random.Next(8));
                return content;
            case 3:
                for (int flips = 1 + random.Next(4); flips > 0; flips--)
                {
                    content[random.Next(content.Length)] = (byte)random.NextUInt64();
                }

                return content;
            default:
                byte[] noise = Noise(ref random, random.Next(200));
                content.AsSpan(0, Math.Min(random.Next(12), noise.Length)).CopyTo(noise); // often with a good beginning
                return noise;
        }
    }

    private static byte[] Noise(ref Seeded random, int length)
    {
        byte[] noise = new byte[length];
        for (int i = 0; i < length; i++)
        {
            noise[i] = (byte)random.NextUInt64();
        }

        return noise;
    }
}
