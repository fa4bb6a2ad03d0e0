using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Tests.Shards;

public class SlotsTests
{
    [Theory]
    [InlineData(0ul, 0)]
    [InlineData(1ul, 5540)]
    [InlineData(2ul, 14068)]
    [InlineData(3ul, 1940)]
    [InlineData(1000ul, 12388)]
    [InlineData(1ul << 32, 13832)]
    [InlineData(ulong.MaxValue, 11572)]
    public void The_slot_of_an_id_never_changes(ulong id, int slot) => Assert.Equal(slot, Slots.Of(id));

    [Fact]
    public void Consecutive_ids_fill_the_slots_evenly()
    {
        int[] perSlot = new int[Slots.Count];
        for (ulong id = 0; id < 100ul * Slots.Count; id++)
        {
            perSlot[Slots.Of(id)]++;
        }

        // Poisson with mean 100: six standard deviations on either side.
        Assert.All(perSlot, count => Assert.InRange(count, 40, 165));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(Slots.Count)]
    public void Split_gives_every_slot_once_in_ranges_of_almost_one_size(int shards)
    {
        SlotRange[] ranges = Slots.Split(shards);

        Assert.Equal(shards, ranges.Length);
        int next = 0;
        foreach (SlotRange range in ranges)
        {
            Assert.Equal(next, range.From);
            Assert.InRange(range.Count, Slots.Count / shards, (Slots.Count + shards - 1) / shards);
            next = range.To;
        }

        Assert.Equal(Slots.Count, next);
    }

    [Fact]
    public void An_id_is_owned_by_exactly_one_range_of_a_split() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<ulong>(), Gen.Choose(1, 300).ToArbitrary(),
            (id, shards) => Slots.Split(shards).Count(range => range.Owns(id)) == 1).QuickCheckThrowOnFailure();
}
