using Signpost.Engine.Base;

namespace Signpost.Engine.Tests.Base;

public class LowPriorityTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Phases_of_low_work_run_on_threads_of_their_own_and_leave_the_callers_as_it_is(int threads)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // only Linux shows it
        }

        int before = Niceness(), caller = Environment.CurrentManagedThreadId;
        var seen = new int[8];
        var work = new Work(threads, isLow: true);

        work.Silent().For("test", seen.Length, 1, (from, _, _) => seen[from] = Environment.CurrentManagedThreadId == caller ? -1 : Niceness());
        Assert.All(seen, niceness => Assert.Equal(10, niceness));

        new Work(threads).For("test", seen.Length, 1, (from, _, _) => seen[from] = Niceness());
        Assert.All(seen, niceness => Assert.Equal(before, niceness));
        Assert.Equal(before, Niceness());
    }

    [Fact]
    public void What_low_work_throws_is_thrown_at_the_caller()
    {
        var work = new Work(2, isLow: true);
        Assert.Throws<IOException>(() => work.For("test", 4, 1, (_, _, _) => throw new IOException()));
    }

    private static int Niceness() => int.Parse(File.ReadAllText("/proc/thread-self/stat").Split(')')[^1].Split(' ')[17]);
}
