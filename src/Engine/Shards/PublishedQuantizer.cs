using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>A quantizer that stands in a collection's folder, for every shard to read.</summary>
/// <param name="File">Name of its file.</param>
/// <param name="Crc">CRC-32C of the whole file: codes say by it what made them.</param>
/// <param name="Quantizer">The quantizer.</param>
public sealed record PublishedQuantizer(string File, uint Crc, IQuantizer Quantizer)
{
    /// <summary>As a manifest names it.</summary>
    public ManifestQuantizer Entry => new(File, CodesInfo.Of(Quantizer));

    /// <summary>Reads and verifies the file <paramref name="name"/> of <paramref name="folder"/>.</summary>
    /// <exception cref="BadFileException">Missing, cut, flipped or foreign.</exception>
    public static PublishedQuantizer Read(IDisk disk, string folder, string name)
    {
        string path = Path.Combine(folder, name);
        try
        {
            using IFileReader file = disk.OpenRead(path);
            byte[] bytes = new byte[file.Length];
            ReadOnlySpan<byte> read = bytes.AsSpan(0, file.Read(0, bytes));
            return Parse(name, read, path);
        }
        catch (FileNotFoundException)
        {
            throw new BadFileException(path, 0, "no file", "the quantizer of the collection");
        }
    }

    /// <summary>The quantizer whose file <paramref name="name"/> has these bytes.</summary>
    /// <exception cref="BadFileException">Cut, flipped or foreign; <paramref name="path"/> is named.</exception>
    internal static PublishedQuantizer Parse(string name, ReadOnlySpan<byte> bytes, string path) => new(name, Crc32C.Compute(bytes), QuantizerFile.Parse(bytes, path));

    /// <summary>As <see cref="Read"/>; null where the file is missing or not whole. What is there is of the training that its name tells.</summary>
    public static PublishedQuantizer? Find(IDisk disk, string folder, string name)
    {
        try
        {
            return disk.List(folder).Contains(name) ? Read(disk, folder, name) : null;
        }
        catch (BadFileException)
        {
            return null;
        }
    }

    /// <summary>Writes the file <paramref name="name"/>; on return it survives a power loss.</summary>
    public static PublishedQuantizer Publish(IDisk disk, string folder, string name, IQuantizer quantizer)
    {
        byte[] bytes = QuantizerFile.Serialize(quantizer);
        AtomicFile.Write(disk, Path.Combine(folder, name), bytes.Length, file => file.Write(0, bytes));
        return new PublishedQuantizer(name, Crc32C.Compute(bytes), quantizer);
    }
}
