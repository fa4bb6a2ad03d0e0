using Signpost.Engine.Graphs;

namespace Signpost.Engine.Tests.Graphs;

public sealed class VisitedSetTests
{
    [Fact]
    public void A_walk_sees_nothing_of_the_walks_before_it()
    {
        using var set = new VisitedSet();
        for (int walk = 0; walk < 1000; walk++) // beyond two rounds of the 255 epochs
        {
            VisitedSet.Marks marks = set.Begin(10);
            uint id = (uint)(walk % 10);
            Assert.True(marks.Add(id));
            Assert.False(marks.Add(id));
            Assert.True(marks.Add((id + 1) % 10));
        }
    }

    [Fact]
    public void It_grows()
    {
        using var set = new VisitedSet();
        set.Begin(10).Add(9);
        Assert.True(set.Begin(100_000).Add(99_999));
    }
}
