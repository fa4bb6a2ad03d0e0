using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Tests.Cluster;

public class TopKTests
{
    /// <summary>Lists of hits with few distances, so that ties are the rule; no id twice.</summary>
    private static readonly Arbitrary<Hit[]> AnyHits = Gen.Choose(0, 5).Select(d => (float)d - 2).ListOf()
        .Select(distances => distances.Select((distance, id) => new Hit((ulong)id, distance)).ToArray()).ToArbitrary();

    [Fact]
    public void The_best_of_all_lists_are_those_that_sorting_gives() =>
        Prop.ForAll(AnyHits, Gen.Choose(0, 12).ToArbitrary(), Gen.Choose(1, 5).ToArbitrary(), (hits, k, lists) =>
        {
            var best = new TopK();
            best.Restart(k);
            for (int list = 0; list < lists; list++)
            {
                best.Add([.. hits.Where(hit => (int)hit.Id % lists == list).Order()], Slots.All);
            }

            return best.Best.SequenceEqual([.. hits.Order().Take(k)]);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_hit_counts_only_from_the_shard_that_owns_it() =>
        Prop.ForAll(AnyHits, Gen.Choose(0, 12).ToArbitrary(), Gen.Choose(1, 5).ToArbitrary(), (hits, k, shards) =>
        {
            var best = new TopK();
            best.Restart(k);
            foreach (SlotRange range in Slots.Split(shards))
            {
                // Whoever does not own an id holds an older copy of it at another distance.
                best.Add([.. hits.Select(hit => range.Owns(hit.Id) ? hit : hit with { Distance = -10 }).Order()], range);
            }

            return best.Best.SequenceEqual([.. hits.Order().Take(k)]);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void It_can_be_used_again_for_another_k()
    {
        var best = new TopK();
        foreach (int k in (int[])[3, 1, 5, 0, 2])
        {
            best.Restart(k);
            best.Add([new Hit(1, 0), new Hit(3, 2), new Hit(5, 4)], Slots.All);
            best.Add([new Hit(2, 1), new Hit(4, 3)], Slots.All);

            Assert.Equal(Enumerable.Range(1, k).Select(i => (ulong)i), best.Best.ToArray().Select(hit => hit.Id));
        }
    }
}
