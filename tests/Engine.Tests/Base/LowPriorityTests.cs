using Signpost.Engine.Base;

namespace Signpost.Engine.Tests.Base;

public class LowPriorityTests
{
    [Fact]
    public void A_thread_and_those_that_it_starts_are_low_and_no_other_is()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // only Linux shows it
        }

        int before = Niceness(), own = 0, started = 0;
        var thread = new Thread(() =>
        {
            LowPriority.Enter();
            own = Niceness();
            var child = new Thread(() => started = Niceness());
            child.Start();
            child.Join();
        });
        thread.Start();
        thread.Join();

        Assert.Equal((10, 10, before), (own, started, Niceness()));
    }

    private static int Niceness() => int.Parse(File.ReadAllText("/proc/thread-self/stat").Split(')')[^1].Split(' ')[17]);
}
