using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class WarmUpTests : ShardTest
{
    [Theory]
    [InlineData(400, true, 10)]
    [InlineData(400, false, 10)]
    [InlineData(3, false, 3)] // fewer than are asked for
    public void A_shard_is_searched_for_its_own_vectors(int count, bool withCodes, int hits)
    {
        using VectorBlock vectors = Bytes(count);
        Build(vectors, Options(shards: 1) with
        {
            Quantizer = withCodes ? QuantizerKind.Pq : null,
            Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256, Iterations = 2 },
        });
        using Collection collection = Open(new CollectionOptions());
        using Query query = collection.NewQuery();

        long found = WarmUp.Run(collection.Shards[0].Shard!, collection.Manifest.CodesVersion, query, default);

        Assert.Equal(WarmUp.Queries * hits, found);
    }

    [Fact]
    public void It_ends_when_it_is_cancelled()
    {
        using VectorBlock vectors = Bytes(50);
        Build(vectors, Options(shards: 1) with { Quantizer = null });
        using Collection collection = Open(new CollectionOptions());
        using Query query = collection.NewQuery();

        Assert.Throws<OperationCanceledException>(() => WarmUp.Run(collection.Shards[0].Shard!, 0, query, new CancellationToken(canceled: true)));
    }
}
