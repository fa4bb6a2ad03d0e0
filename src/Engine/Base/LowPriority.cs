using System.Runtime.InteropServices;

namespace Signpost.Engine.Base;

/// <summary>
/// Lets work that nobody waits for, such as opening, encoding and training, take only what searches leave of the processors: those who ask are
/// then answered in nearly the time that a quiet process takes.
/// </summary>
public static class LowPriority
{
    private const int OfThread = 0; // PRIO_PROCESS: on Linux, with 0 for who, the calling thread alone
    private const int Niceness = 10; // a ninth of the weight of others; enough to end in time on a machine that is never idle

    /// <summary>
    /// The calling thread, and those that it starts from now on, have low priority to their end. To be called on threads of one's own, never on one of
    /// the pool.
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
