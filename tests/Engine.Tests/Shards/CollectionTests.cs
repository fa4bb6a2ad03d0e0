using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class CollectionTests : ShardTest
{
    private const int Count = 300;

    private static readonly BuildOptions WithCodes =
        Options(shards: 3) with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 256, TrainingVectors = 256 } };

    [Fact]
    public void A_folder_without_a_collection_is_refused() =>
        Assert.Equal(ProblemCode.NotFound, Collection.Open(Disk, Folder, new CollectionOptions(), Work.Quiet).Problem?.Code);

    [Fact]
    public void The_bill_of_a_vector_is_its_row_of_the_graph_its_code_and_its_id_and_the_vector_where_it_is_loaded()
    {
        BuildSample(WithCodes);

        foreach (Residency residency in Enum.GetValues<Residency>())
        {
            using Collection collection = Open(new CollectionOptions { Vectors = residency });

            long graph = (Count * 16 * 3) + 3; // R = 16 ids of 3 bytes, and one spare byte per shard
            int loaded = residency == Residency.Loaded ? Dim : 0;
            Assert.Equal((graph + (Count * (4 + 8 + loaded))) / (double)Count, collection.Info.ResidentBytesPerVector, 1e-9);
            Assert.Equal(Dim - loaded, collection.Info.MappedBytesPerVector, 1e-9);
            Assert.Equal((3, 3, Count), (collection.Info.Shards, collection.Info.ShardsOpen, (int)collection.Info.Vectors));
        }
    }

    [Fact]
    public void Memory_that_does_not_suffice_is_refused_with_need_and_have()
    {
        BuildSample(WithCodes);
        long need = Resident();

        Problem? problem = Collection.Open(Disk, Folder, new CollectionOptions { MemoryLimit = need - 1 }, Work.Quiet).Problem;

        Assert.Equal(ProblemCode.NotEnoughMemory, problem?.Code);
        Assert.Equal($"need {need} bytes, have {need - 1}", problem!.Got);
        using Collection collection = Open(new CollectionOptions { MemoryLimit = need });
        Assert.Equal(3, collection.Info.ShardsOpen);
    }

    [Theory]
    [InlineData(10)] // header
    [InlineData(-10)] // vectors
    public void A_damaged_shard_does_not_stop_the_others(int at)
    {
        CollectionManifest manifest = BuildSample(WithCodes);
        string path = Path.Combine(Folder, manifest.Shards[1].Segment);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[at < 0 ? bytes.Length + at : at] ^= 4;
        File.WriteAllBytes(path, bytes);

        using (Collection collection = Open())
        {
            Assert.Equal(2, collection.Info.ShardsOpen);
            Assert.Null(collection.Shards[1].Shard);
            Assert.Contains(path, collection.Shards[1].Reason);
            Assert.Contains("at byte", collection.Shards[1].Reason);
            Assert.NotNull(collection.Shards[2].Shard);
            IOException asked = Assert.Throws<IOException>(() => collection.ShardOf(1));
            Assert.Equal(collection.Shards[1].Reason, asked.Message);
        }

        Assert.Throws<BadFileException>(() => Open(new CollectionOptions { RequireAll = true }));
    }

    [Fact]
    public void A_missing_shard_does_not_stop_the_others()
    {
        CollectionManifest manifest = BuildSample(WithCodes);
        File.Delete(Path.Combine(Folder, manifest.Shards[0].Segment));

        using (Collection collection = Open())
        {
            Assert.Equal(2, collection.Info.ShardsOpen);
            Assert.Contains(manifest.Shards[0].Segment, collection.Shards[0].Reason);
        }

        Outcome<Collection> all = Collection.Open(Disk, Folder, new CollectionOptions { RequireAll = true }, Work.Quiet);
        Assert.Equal(ProblemCode.NotFound, all.Problem?.Code);
    }

    [Fact]
    public void A_segment_of_another_shard_is_not_taken_for_this_one()
    {
        CollectionManifest manifest = BuildSample(WithCodes);
        File.Copy(Path.Combine(Folder, manifest.Shards[0].Segment), Path.Combine(Folder, manifest.Shards[1].Segment), overwrite: true);

        using Collection collection = Open();

        Assert.NotNull(collection.Shards[0].Shard);
        Assert.Null(collection.Shards[1].Shard);
    }

    [Fact]
    public void A_quantizer_that_is_missing_or_another_one_is_refused()
    {
        CollectionManifest manifest = BuildSample(WithCodes);
        string path = Path.Combine(Folder, manifest.Quantizer!.File);
        byte[] good = File.ReadAllBytes(path);

        File.Delete(path);
        Assert.Equal(path, Assert.Throws<BadFileException>(() => Open()).Path);

        using VectorBlock vectors = Bytes(Count);
        IQuantizer other = QuantizerTrainer.Train(QuantizerKind.Pq, vectors, Metric.L2, WithCodes.Codes with { Version = 2 }, Work.Quiet);
        File.WriteAllBytes(path, QuantizerFile.Serialize(other));
        Assert.Equal(path, Assert.Throws<BadFileException>(() => Open()).Path);

        File.WriteAllBytes(path, good);
        using Collection collection = Open();
        Assert.Equal(3, collection.Info.ShardsOpen);
    }

    private long Resident()
    {
        using Collection collection = Open();
        return collection.Info.Memory.Resident;
    }

    private CollectionManifest BuildSample(BuildOptions options)
    {
        using VectorBlock vectors = Bytes(Count);
        return Build(vectors, options);
    }
}
