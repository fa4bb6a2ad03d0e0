using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>The file with the codes of a segment: opening it, and making it where it is not there.</summary>
internal static class ShardCodes
{
    /// <summary>Loads and verifies the codes of <paramref name="segment"/> by <paramref name="quantizer"/>.</summary>
    /// <exception cref="BadFileException">Missing, cut, flipped, foreign, or codes of other vectors or another quantizer.</exception>
    public static AlignedBuffer Load(IDisk disk, string path, Segment segment, PublishedQuantizer quantizer, Work work)
    {
        try
        {
            return CodesFile.Load(disk, path, Describe(segment, quantizer), work);
        }
        catch (FileNotFoundException)
        {
            throw new BadFileException(path, 0, "no file", "the codes of the shard");
        }
    }

    /// <summary>As <see cref="Load"/>; a file that is missing or not these codes is made first.</summary>
    public static AlignedBuffer LoadOrMake(IDisk disk, string path, Segment segment, PublishedQuantizer quantizer, Work work)
    {
        try
        {
            return Load(disk, path, segment, quantizer, work);
        }
        catch (BadFileException)
        {
            CodesFile.Write(
                disk, path, Describe(segment, quantizer),
                sink => ShardEncoder.Encode(segment.Vectors, segment.Graph, quantizer.Quantizer, sink, work));
            return Load(disk, path, segment, quantizer, work);
        }
    }

    private static CodesFileInfo Describe(Segment segment, PublishedQuantizer quantizer)
    {
        SegmentInfo info = segment.Info;
        return new CodesFileInfo(CodesInfo.Of(quantizer.Quantizer), quantizer.Crc, info.Count, info.SlotFrom, info.SlotTo, segment.Crc);
    }
}
