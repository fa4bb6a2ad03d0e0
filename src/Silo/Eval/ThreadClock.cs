using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Signpost.Silo.Eval;

/// <summary>Processor time of the calling thread, user and system together.</summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID of Linux

    /// <summary>
    /// Seconds of processor time so far. Only differences of two readings on one thread mean anything. Elsewhere than on 64-bit Linux it is the
    /// process's time, which is the same as long as one thread works.
    /// </summary>
    public static double Seconds() =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess && GetTime(ThreadCpuTime, out TimeSpec time) == 0
            ? time.Seconds + (time.Nanoseconds * 1e-9)
            : Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
