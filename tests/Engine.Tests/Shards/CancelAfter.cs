using Signpost.Engine.Base;

namespace Signpost.Engine.Tests.Shards;

/// <summary>A user who presses Ctrl-C at the n-th report of progress.</summary>
internal sealed class CancelAfter(int reports, CancellationTokenSource stop) : IProgress<PhaseProgress>
{
    private int _left = reports;

    public void Report(PhaseProgress value)
    {
        if (--_left == 0)
        {
            stop.Cancel();
        }
    }
}
