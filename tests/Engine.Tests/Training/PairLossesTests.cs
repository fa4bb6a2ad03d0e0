using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public sealed class PairLossesTests
{
    private static readonly bool[] TwoOfFive = [true, false, true, false, false];

    [Fact]
    public void Equal_distances_lose_the_logarithm_of_the_odds()
    {
        (double loss, bool agrees) = PairLosses.Record([3f, 3f, 3f, 3f, 3f], TwoOfFive, 0.05, 1, new float[5]);

        Assert.Equal(Math.Log(5.0 / 2), loss, 1e-12);
        Assert.True(agrees); // the first of equals
    }

    [Fact]
    public void A_constant_more_changes_nothing()
    {
        var alphas = new float[5];
        var shifted = new float[5];
        (double loss, _) = PairLosses.Record([3f, 2f, 4f, 2.5f, 8f], TwoOfFive, 0.5, 1, alphas);
        (double same, _) = PairLosses.Record([19f, 18f, 20f, 18.5f, 24f], TwoOfFive, 0.5, 1, shifted);

        Assert.Equal(loss, same, 1e-12);
        Assert.Equal(alphas, shifted);
    }

    [Fact]
    public void Alphas_add_up_to_zero_and_pull_the_right_ones_in()
    {
        var alphas = new float[5];
        (_, bool agrees) = PairLosses.Record([3f, 2f, 4f, 2.5f, 8f], TwoOfFive, 0.5, 1, alphas);

        Assert.False(agrees);
        Assert.Equal(0, alphas.Sum(), 1e-6);
        Assert.True(alphas[0] > 0 && alphas[2] > 0 && alphas[1] < 0 && alphas[3] < 0);
    }

    [Fact]
    public void Where_all_are_acceptable_or_there_is_one_nothing_is_lost()
    {
        var alphas = new float[3];
        Assert.Equal((0, true), PairLosses.Record([3f, 2f, 4f], [true, true, true], 0.05, 1, alphas));
        Assert.Equal((0, true), PairLosses.Record([3f], [true], 0.05, 1, alphas));
        Assert.Equal(new float[3], alphas);
    }

    [Fact]
    public void Distances_far_beyond_the_temperature_neither_overflow_nor_vanish()
    {
        var alphas = new float[2];
        (double loss, _) = PairLosses.Record([1000f, 0f], [true, false], 0.01, 1, alphas);

        Assert.Equal(1e5, loss, 1e-6);
        Assert.Equal([100f, -100f], alphas);
    }
}
