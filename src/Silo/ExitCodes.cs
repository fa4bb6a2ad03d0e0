namespace Signpost.Silo;

/// <summary>What a command ends with, so that scripts can tell causes apart.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Something that should not happen: a defect, a full disk.</summary>
    public const int Failed = 1;

    /// <summary>Refused: arguments, settings or input are not usable; nothing was changed.</summary>
    public const int Refused = 2;

    /// <summary>A file is damaged or foreign.</summary>
    public const int Damaged = 3;

    /// <summary>The cluster took this silo for dead while it could not answer: whoever supervises it is to start it again.</summary>
    public const int Evicted = 4;

    /// <summary>Stopped by Ctrl-C (128 + SIGINT, as shells count).</summary>
    public const int Cancelled = 130;
}
