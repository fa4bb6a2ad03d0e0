namespace Signpost.Engine.Tests.Support;

/// <summary>What calls allocate on the managed heap.</summary>
internal static class Allocation
{
    private const int Rounds = 10;

    /// <summary>
    /// Bytes that <paramref name="calls"/> calls allocate on this thread, the least of ten rounds: what the runtime itself does now and
    /// then (compile a method again, collect) is not in every round, what a call allocates is.
    /// </summary>
    public static long Least(int calls, Action<int> call)
    {
        long least = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < calls; i++)
            {
                call(i);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
