using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public sealed class RpqPairsTests
{
    [Fact]
    public void Every_pair_is_listed_once_by_vertex_and_every_mention_leads_to_it()
    {
        var pairs = new RpqPairs();
        for (ulong seed = 0; seed < 20; seed++)
        {
            RpqBatch batch = RpqSample.Batch(3, 4, 9, 12, 30, seed: seed);
            pairs.Reset(batch);

            (int, int)[] listed = [.. Enumerable.Range(0, pairs.Count).Select(i => (pairs.Anchors[i], pairs.Vertices[i]))];
            (int, int)[] named = [.. Mentions(batch)];
            Assert.Equal(listed.Length, listed.Distinct().Count());
            Assert.Equal(named.ToHashSet(), listed.ToHashSet());
            Assert.True(named.Length > listed.Length);
            for (int v = 0; v < batch.Vertices.Count; v++)
            {
                Assert.All(listed[pairs.Starts[v]..pairs.Starts[v + 1]], pair => Assert.Equal(v, pair.Item2));
            }

            Assert.Equal(pairs.Count, pairs.Starts[batch.Vertices.Count]);
            int[] places = [.. Enumerable.Range(0, batch.Triplets.Length).SelectMany(i => Both(pairs.OfTriplet(i))), .. pairs.OfCandidates];
            Assert.Equal(named, places.Select(pair => listed[pair]));
        }
    }

    private static IEnumerable<(int Anchor, int Vertex)> Mentions(RpqBatch batch)
    {
        foreach ((int anchor, int positive, int negative) in batch.Triplets)
        {
            yield return (anchor, positive);
            yield return (anchor, negative);
        }

        RpqRecords records = batch.Records;
        for (int i = 0; i < records.Count; i++)
        {
            foreach (int vertex in records.Candidates[records.Starts[i]..records.Starts[i + 1]])
            {
                yield return (records.Anchors[i], vertex);
            }
        }
    }

    private static int[] Both((int Positive, int Negative) pairs) => [pairs.Positive, pairs.Negative];
}
