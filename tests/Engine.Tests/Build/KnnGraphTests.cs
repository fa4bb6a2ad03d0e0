using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Tests.Build;

public sealed unsafe class KnnGraphTests
{
    [Fact]
    public void A_row_holds_the_nearest_offers_each_vertex_once_whatever_the_order()
    {
        Prop.ForAll<(byte Id, byte Distance)[], int>((offers, seed) =>
        {
            ulong[] expected = offers.GroupBy(o => o.Id)
                .Select(g => CandidateList.KeyOf(g.Min(o => o.Distance), g.Key)).Order().Take(5).ToArray();
            var random = new Seeded((ulong)seed, 0);
            (byte Id, byte Distance)[] shuffled = [.. offers];
            for (int i = shuffled.Length - 1; i > 0; i--)
            {
                int other = random.Next(i + 1);
                (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
            }

            Assert.Equal(expected, Row(offers));
            Assert.Equal(expected, Row(shuffled));
        }).QuickCheckThrowOnFailure();
    }

    private static ulong[] Row((byte Id, byte Distance)[] offers)
    {
        using var graph = new KnnGraph(1, 5);
        foreach ((byte id, byte distance) in offers)
        {
            graph.Offer(0, CandidateList.KeyOf(distance, id));
        }

        return new Span<ulong>(graph.Row(0), 5).ToArray().Where(k => k != KnnGraph.Empty).ToArray();
    }
}
