using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Tests.Build;

public sealed unsafe class KnnGraphTests
{
    // The bound of a row falls while others wait for its lock: what they bring may belong behind the last place by then.
    [Fact]
    public void Offers_of_many_threads_to_one_row_stay_in_it()
    {
        using var graph = new KnnGraph(2, 2);
        new Work(4).For("offers", 1_000_000, 64, (from, to, _) =>
        {
            for (long i = from; i < to; i++)
            {
                graph.Offer(0, CandidateList.KeyOf(2_000_000 - i, (uint)i));
            }
        });
        Assert.Equal([CandidateList.KeyOf(1_000_001, 999_999), CandidateList.KeyOf(1_000_002, 999_998)], new Span<ulong>(graph.Row(0), 2).ToArray());
        Assert.Equal([KnnGraph.Empty, KnnGraph.Empty], new Span<ulong>(graph.Row(1), 2).ToArray());
    }

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
