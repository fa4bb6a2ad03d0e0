using Orleans.Runtime;

namespace Signpost.Silo.Orleans;

/// <summary>
/// What becomes of a silo that Orleans has declared dead, for example because its machine was suspended: the process ends at once, with a
/// code of its own, so that who supervises it starts it again.
/// </summary>
internal sealed class Evicted : IFatalErrorHandler
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public bool IsUnexpected(Exception exception) => true;

    /// <inheritdoc/>
    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        string why = $"this silo ends: the cluster has declared it dead, or Orleans failed; start it again. {context} {exception?.Message}".TrimEnd();
        Console.Error.WriteLine($"signpost: {why}");
        using var overdue = new Timer(_ => Environment.FailFast(why), null, Longest, Timeout.InfiniteTimeSpan);
        Environment.Exit(ExitCodes.Evicted);
    }
}
