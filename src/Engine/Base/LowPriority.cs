using System.Runtime.InteropServices;

namespace Signpost.Engine.Base;

/// <summary>
/// Lets work that nobody waits for, such as opening, encoding and training, take only what searches leave of the processors: those who ask are
/// then answered in nearly the time that a quiet process takes.
/// </summary>
internal static class LowPriority
{
    private const int OfThread = 0; // PRIO_PROCESS: on Linux, with 0 for who, the calling thread alone
    private const int Niceness = 10; // a ninth of the weight of others; enough to end in time on a machine that is never idle

    /// <summary>
    /// The calling thread has low priority to its end, and so have those that it starts: a thread of one's own that computes, and neither starts anything
    /// nor queues work for the pool, which may start threads for it.
    /// </summary>
    public static void Enter()
    {
        Check.That(!Thread.CurrentThread.IsThreadPoolThread);
        if (OperatingSystem.IsLinux())
        {
            _ = setpriority(OfThread, 0, Niceness); // may be refused, as where a system is set up to: everything works, and disturbs more
        }
        else
        {
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        }
    }

    [DllImport("libc")]
    private static extern int setpriority(int which, uint who, int priority);
}
