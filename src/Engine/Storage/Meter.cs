using System.Diagnostics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>Counts the bytes of one phase of reading or writing, tells the watcher and obeys the canceller of a <see cref="Work"/>.</summary>
internal sealed class Meter(Work work, string phase, long total)
{
    private const long ReportEveryMs = 100;

    private readonly long _start = Stopwatch.GetTimestamp();
    private long _done;
    private double _reportedMs;

    /// <summary>Adds bytes done; <see cref="OperationCanceledException"/> where the task was cancelled.</summary>
    public void Advance(long bytes)
    {
        work.Cancel.ThrowIfCancellationRequested();
        _done += bytes;
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
        if (_done >= total || elapsed.TotalMilliseconds - _reportedMs >= ReportEveryMs)
        {
            _reportedMs = elapsed.TotalMilliseconds;
            work.Report(new PhaseProgress(phase, _done, total, elapsed));
        }
    }
}
