using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Tests.Graphs;

public sealed unsafe class CandidateListTests
{
    [Fact]
    public void Keys_order_as_distance_then_id()
    {
        float[] ascending = [float.NegativeInfinity, -3.5f, -float.Epsilon, 0f, float.Epsilon, 1f, 1.0000001f, float.MaxValue, float.PositiveInfinity];
        for (int i = 1; i < ascending.Length; i++)
        {
            Assert.True(CandidateList.KeyOf(ascending[i - 1], uint.MaxValue >> 1) < CandidateList.KeyOf(ascending[i], 0), $"{ascending[i]}");
        }

        Assert.True(CandidateList.KeyOf(1f, 7) < CandidateList.KeyOf(1f, 8));
        Assert.Equal(CandidateList.KeyOf(float.PositiveInfinity, 3), CandidateList.KeyOf(float.NaN, 3));
    }

    [Fact]
    public void A_key_gives_its_distance_back()
    {
        foreach (float distance in (float[])[-12.25f, 0f, 1e-30f, 4711f])
        {
            Assert.Equal(distance, CandidateList.DistanceOf(CandidateList.KeyOf(distance, 5)));
        }
    }

    [Fact]
    public void It_keeps_the_nearest_of_all_that_was_offered()
    {
        Prop.ForAll<float[], byte>((distances, capacity) =>
        {
            int l = capacity % 20 + 1;
            using var memory = new AlignedBuffer((l + 1) * sizeof(ulong));
            var list = new CandidateList((ulong*)memory.Pointer, l);
            for (int i = 0; i < distances.Length; i++)
            {
                list.Offer(CandidateList.KeyOf(distances[i], (uint)i));
            }

            ulong[] expected = distances.Select((d, i) => CandidateList.KeyOf(d, (uint)i)).Order().Take(l).ToArray();
            Assert.Equal(expected.Length, list.Count);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.Equal((uint)expected[i] >> 1, list.Id(i));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_nearer_candidate_that_comes_later_is_expanded_next()
    {
        using var memory = new AlignedBuffer(5 * sizeof(ulong));
        var list = new CandidateList((ulong*)memory.Pointer, 4);
        list.Offer(CandidateList.KeyOf(2f, 20));
        list.Offer(CandidateList.KeyOf(3f, 30));
        Assert.True(list.TryExpand(out uint first));
        list.Offer(CandidateList.KeyOf(1f, 10));
        Assert.True(list.TryPeek(out uint peeked));
        Assert.True(list.TryExpand(out uint second));
        Assert.True(list.TryExpand(out uint third));
        Assert.False(list.TryExpand(out _));
        Assert.Equal((20u, 10u, 10u, 30u), (first, peeked, second, third));
    }
}
