using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Signpost.Engine.Base;

/// <summary>How far a phase of a long task is.</summary>
/// <param name="Phase">What is being done, in a few words.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all.</param>
/// <param name="Elapsed">Time since the phase began.</param>
/// <param name="Detail">What else there is to tell, in a few words; empty where there is nothing.</param>
public readonly record struct PhaseProgress(string Phase, long Done, long Total, TimeSpan Elapsed, string Detail = "");

/// <summary>
/// How a long task may run: on how many threads, who watches it, and who may stop it. Every builder and trainer takes one.
/// </summary>
/// <param name="threads">Threads to use, at least 1.</param>
/// <param name="progress">Told after every chunk at most each 100 ms, and at the end of every phase.</param>
/// <param name="cancel">Ends the task between two chunks with <see cref="OperationCanceledException"/>.</param>
/// <param name="isLow">Whether searches go before it: its phases then run on threads of low priority, which are its own.</param>
public sealed class Work(int threads, IProgress<PhaseProgress>? progress = null, CancellationToken cancel = default, bool isLow = false)
{
    private const long ReportEveryMs = 100;

    /// <summary>One thread, nobody watching.</summary>
    public static Work Quiet { get; } = new(1);

    /// <summary>Threads in use.</summary>
    public int Threads { get; } = Math.Max(1, threads);

    /// <summary>Cancels the task.</summary>
    public CancellationToken Cancel => cancel;

    /// <summary>The same threads and cancellation, nobody watching: for the small steps of a phase.</summary>
    public Work Silent() => progress is null ? this : new Work(Threads, null, cancel, isLow);

    /// <summary>The same, with its phases reported as parts of <paramref name="name"/>: "name: phase".</summary>
    public Work Under(string name) => progress is null ? this : new Work(Threads, new PartOf(name, progress), cancel, isLow);

    /// <summary>Runs <paramref name="body"/>(from, to, worker) over [0, count) in chunks, as phase <paramref name="phase"/>.</summary>
    /// <remarks>
    /// Chunks are given out in ascending order; <c>worker</c> is in [0, <see cref="Threads"/>) and identifies a thread's scratch.
    /// The first exception of any worker ends the phase and is thrown here.
    /// </remarks>
    public void For(string phase, long count, int chunk, Action<long, long, int> body)
    {
        Check.That(chunk > 0);
        var run = new Phase(this, phase, count, chunk, body);
        int workers = (int)Math.Min(Threads, Math.Max(1, (count + chunk - 1) / chunk));
        int first = isLow ? 0 : 1; // the caller's thread keeps its priority: what it starts besides, such as threads of the pool, would inherit a low one
        var others = new Thread[workers - first];
        for (int i = 0; i < others.Length; i++)
        {
            int worker = first + i;
            others[i] = new Thread(() =>
            {
                if (isLow)
                {
                    LowPriority.Enter();
                }

                run.Loop(worker);
            })
            {
                IsBackground = true,
                Name = $"signpost {phase} {worker}",
            };
            others[i].Start();
        }

        if (!isLow)
        {
            run.Loop(0);
        }

        foreach (Thread other in others)
        {
            other.Join();
        }

        run.End();
    }

    /// <summary>Reports progress of a phase that counts its own units.</summary>
    public void Report(in PhaseProgress value) => progress?.Report(value);

    private sealed class PartOf(string name, IProgress<PhaseProgress> whole) : IProgress<PhaseProgress>
    {
        public void Report(PhaseProgress value) => whole.Report(value with { Phase = $"{name}: {value.Phase}" });
    }

    private sealed class Phase(Work work, string name, long count, int chunk, Action<long, long, int> body)
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private long _next;
        private long _done;
        private long _reportedMs;
        private ExceptionDispatchInfo? _failure;

        public void Loop(int worker)
        {
            try
            {
                while (Volatile.Read(ref _failure) is null)
                {
                    work.Cancel.ThrowIfCancellationRequested();
                    long from = Interlocked.Add(ref _next, chunk) - chunk;
                    if (from >= count)
                    {
                        return;
                    }

                    long to = Math.Min(count, from + chunk);
                    body(from, to, worker);
                    Report(Interlocked.Add(ref _done, to - from));
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            }
        }

        public void End()
        {
            _failure?.Throw();
            work.Report(new PhaseProgress(name, count, count, Stopwatch.GetElapsedTime(_start)));
        }

        private void Report(long done)
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
            long now = (long)elapsed.TotalMilliseconds;
            long before = Interlocked.Read(ref _reportedMs);
            if (done < count && now - before >= ReportEveryMs && Interlocked.CompareExchange(ref _reportedMs, now, before) == before)
            {
                work.Report(new PhaseProgress(name, done, count, elapsed));
            }
        }
    }
}
