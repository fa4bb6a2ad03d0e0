namespace Signpost.Engine.Cluster;

/// <summary>Time since this was made.</summary>
internal sealed class Clock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();

    /// <summary>What makes timers.</summary>
    public TimeProvider Time => time;

    /// <summary>Now; never goes back.</summary>
    public TimeSpan Now => time.GetElapsedTime(_origin);
}
