using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Build;

public sealed class PruneTests
{
    [Fact]
    public void A_candidate_behind_a_kept_neighbour_is_dropped()
    {
        // The vertex is 0 at the origin. 1 lies to the right, 2 behind it, 3 above, 4 far to the left, 5 beyond 4.
        using VectorBlock points = VectorBlock.Of([0, 0, 1, 0, 2, 0.2f, 0, 1.5f, -3, 0, -5, 1], 2);
        Assert.Equal([1, 3, 4], Select(points, 0, 10));
        Assert.Equal([1, 3], Select(points, 0, 2));
    }

    [Fact]
    public void Of_equal_points_one_is_kept()
    {
        using VectorBlock points = VectorBlock.Of([0, 0, 1, 1, 1, 1, 1, 1], 2);
        Assert.Equal([1], Select(points, 0, 10));
        using VectorBlock same = VectorBlock.Of([1, 1, 1, 1, 1, 1, 1, 1], 2);
        Assert.Equal([1], Select(same, 0, 10));
    }

    [Fact]
    public void Exactly_the_relative_neighbourhood_rule_is_kept()
    {
        Prop.ForAll<int>(seed =>
        {
            using VectorBlock points = Sets.Clustered(60, 3, ElementType.Float32, (ulong)seed);
            uint[] kept = Select(points, 0, 60);
            var expected = new List<uint>();
            foreach (uint p in Enumerable.Range(1, 59).Select(i => (uint)i).OrderBy(i => Distance(points, 0, i)).ThenBy(i => i))
            {
                if (expected.All(r => Distance(points, r, p) >= Distance(points, 0, p)))
                {
                    expected.Add(p);
                }
            }

            Assert.Equal(expected, kept);
        }).QuickCheckThrowOnFailure();
    }

    private static unsafe float Distance(VectorBlock points, uint a, uint b) =>
        PairDistances.Between(Metric.L2, ElementType.Float32, points.Row(a), points.Row(b), points.Dim);

    private static uint[] Select(VectorBlock points, uint vertex, int r)
    {
        ulong[] keys = Enumerable.Range(0, (int)points.Count).Select(i => (uint)i).Where(i => i != vertex)
            .Select(i => CandidateList.KeyOf(Distance(points, vertex, i), i)).Order().ToArray();
        using var prune = new Prune(new BuildSpace(points, Metric.L2, Work.Quiet), r);
        int kept = PairDistances.Select<int, Rng>(Metric.L2, ElementType.Float32, new Rng(prune, keys));
        return prune.Ids[..kept];
    }

    private readonly struct Rng(Prune prune, ulong[] keys) : IPairDistanceUser<int>
    {
        public int Use<TPair>()
            where TPair : struct, IPairDistance => prune.Rng<TPair>(keys);
    }
}
