using System.Diagnostics;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>What this process has spent since the clock was made.</summary>
internal sealed class CostClock
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly TimeSpan _cpu = Environment.CpuUsage.TotalTime;

    /// <summary>By the clock, and of the processor.</summary>
    public BuildCost Read() => new(Stopwatch.GetElapsedTime(_start).TotalSeconds, (Environment.CpuUsage.TotalTime - _cpu).TotalSeconds);
}
