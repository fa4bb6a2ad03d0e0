using Signpost.Silo.Compare;

namespace Signpost.Silo.Tests;

public sealed class CompareRowsTests
{
    private static readonly ComparePoint[] Curve = [Point(10, 0.5, 8000), Point(20, 0.9, 4000), Point(40, 1.0, 1000)];

    [Fact]
    public void A_recall_between_two_pools_is_reached_between_them_and_speed_goes_by_its_logarithm()
    {
        (double l, double qps, double hops, double distances) = CompareRows.Reach(Curve, 0.95)!.Value;
        Assert.Equal((30, 2000, 15, 300), (Math.Round(l, 9), Math.Round(qps, 6), Math.Round(hops, 9), Math.Round(distances, 9)));
    }

    [Fact]
    public void A_recall_of_a_measured_pool_is_reached_there() => Assert.Equal(20, CompareRows.Reach(Curve, 0.9)!.Value.L, 1e-9);

    [Fact]
    public void Nothing_is_guessed_outside_the_pools()
    {
        Assert.Equal(10, CompareRows.Reach(Curve, 0.4)!.Value.L);
        Assert.Null(CompareRows.Reach(Curve[..2], 0.95));
    }

    [Fact]
    public void The_first_pool_that_reaches_it_counts_where_recall_falls_again()
    {
        ComparePoint[] uneven = [Point(10, 0.9, 100), Point(20, 0.96, 100), Point(30, 0.94, 100), Point(40, 0.99, 100)];
        Assert.InRange(CompareRows.Reach(uneven, 0.95)!.Value.L, 10, 20);
    }

    [Fact]
    public void Learned_codes_are_held_against_the_faster_and_the_slower_rival_of_their_size_and_search()
    {
        CompareRatio ratio = Assert.Single(CompareRows.Ratios(
        [
            Row("pq", 8, 256, 0.7, 1000), Row("opq", 8, 256, 0.6, 2000), Row("rpq", 8, 256, 0.8, 3000),
            Row("pq", 16, 16, 0.7, 9000), Row("rpq", 16, 16, 0.9, 9000), // one rival is missing
            Row("rabitq", null, null, 0.9, 9000), Row(CompareRows.Exact, null, null, 1, 9000),
        ]));
        Assert.Equal(("rpq", 8, 256, "codes", "opq"), (ratio.Quantizer, ratio.M, ratio.K, ratio.Search, ratio.Rival));
        Assert.Equal((1.5, 3.0), (ratio.QpsOverRival, ratio.QpsOverWeaker));
        Assert.Equal((2 / 3.0, 1 / 3.0), (ratio.LOverRival, ratio.LOverWeaker));
        Assert.Equal((0.2, 0.1), (Math.Round(ratio.RecallOverRival, 9), Math.Round(ratio.RecallOverWeaker, 9)));
    }

    [Fact]
    public void Where_no_rival_reaches_the_recall_the_one_that_finds_more_is_the_rival_and_there_is_no_ratio()
    {
        CompareRatio ratio = Assert.Single(CompareRows.Ratios(
            [Row("pq", 8, 256, 0.7, null), Row("opq", 8, 256, 0.6, null), Row("rpq", 8, 256, 0.8, 3000)]));
        Assert.Equal(("pq", "opq", null, null), (ratio.Rival, ratio.Weaker, ratio.QpsOverRival, ratio.QpsOverWeaker));
        Assert.Equal((null, null), (ratio.LOverRival, ratio.LOverWeaker));
        Assert.Equal(0.1, ratio.RecallOverRival, 1e-9);
    }

    [Theory]
    [InlineData(3000, 2.0)] // a pool of 20: 4000 of the rival's 2000
    [InlineData(2000, 1.0)] // a pool of 30, between 4000 and 1000
    [InlineData(9000, null)] // smaller than all that were measured
    [InlineData(1000, null)] // larger
    public void The_ceiling_is_the_speed_of_the_rival_with_the_pool_of_exact_distances(double exact, double? ceiling)
    {
        CompareRatio ratio = Assert.Single(CompareRows.Ratios(
        [
            Row("pq", 8, 256, 0.7, 1000), Row("opq", 8, 256, 0.6, 2000) with { Points = Curve }, Row("rpq", 8, 256, 0.8, 3000),
            Row(CompareRows.Exact, null, null, 1, exact),
        ]));
        Assert.Equal(ceiling, ratio.QpsCeiling is { } value ? Math.Round(value, 9) : null);
    }

    private static ComparePoint Point(int l, double recall, double qps) => new(l, recall, qps, l / 2.0, l * 10);

    private static CompareRow Row(string quantizer, int? m, int? k, double recall, double? qps) => new()
    {
        Quantizer = quantizer,
        M = m,
        K = k,
        CodeBytes = 8,
        Search = "codes",
        RecallAt10L100 = recall,
        QpsAt95 = qps,
        LAt95 = 60_000 / qps, // what is faster needs the smaller pool
        MaxRecallAt10 = recall,
        ResidentBytesPerVector = 1,
        Points = [],
    };
}
