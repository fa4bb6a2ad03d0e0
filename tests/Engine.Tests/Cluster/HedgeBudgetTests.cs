using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

public class HedgeBudgetTests
{
    [Fact]
    public void A_tenth_of_the_calls_may_be_hedged_and_ten_at_once()
    {
        var budget = new HedgeBudget();
        Assert.Equal(10, Spend(budget));
        Earn(budget, 9);
        Assert.Equal(0, Spend(budget));
        Earn(budget, 1);
        Assert.Equal(1, Spend(budget));
        Earn(budget, 1000);
        Assert.Equal(10, Spend(budget));
    }

    [Fact]
    public void Threads_together_spend_no_more_than_there_is()
    {
        var budget = new HedgeBudget();
        int spent = 0;
        Parallel.For(0, 1000, _ =>
        {
            budget.Earn();
            Interlocked.Add(ref spent, budget.TrySpend() ? 1 : 0);
        });
        Assert.InRange(spent, 10, 110);
    }

    private static void Earn(HedgeBudget budget, int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            budget.Earn();
        }
    }

    private static int Spend(HedgeBudget budget)
    {
        int spent = 0;
        while (budget.TrySpend())
        {
            spent++;
        }

        return spent;
    }
}
