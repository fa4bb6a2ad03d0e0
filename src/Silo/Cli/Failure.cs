using Signpost.Client;
using Signpost.Engine.Base;

namespace Signpost.Silo.Cli;

/// <summary>What ended a command, in words for people: what was got, what was expected, how to mend it; and the exit code.</summary>
/// <param name="Message">One line, without the program's name before it.</param>
/// <param name="ExitCode">One of <see cref="ExitCodes"/>.</param>
internal readonly record struct Failure(string Message, int ExitCode)
{
    /// <summary>Set to anything it makes an unexpected failure show where in the program it happened.</summary>
    private const string TraceVariable = "SIGNPOST_TRACE";

    /// <summary>The words for <paramref name="e"/>; <paramref name="cancelled"/>: the user asked to stop.</summary>
    public static Failure Of(Exception e, bool cancelled) => e switch
    {
        ProblemException refused => new(Words(refused.Problem), ExitCodes.Refused),
        SignpostException { Kind: SignpostErrorKind.Refused or SignpostErrorKind.VersionMismatch } refused => new(refused.Message, ExitCodes.Refused),
        SignpostException noAnswer => new(noAnswer.Message, ExitCodes.Failed),
        BadFileException => new($"damaged or foreign file: {e.Message}. Restore it from a copy, or write it again.", ExitCodes.Damaged),
        FileNotFoundException { FileName: { } name } => new($"{name}: got no file, expected one. Check the path.", ExitCodes.Refused),
        FileNotFoundException => new($"{e.Message} Check the path.", ExitCodes.Refused),
        DirectoryNotFoundException => new($"{e.Message} Expected a folder that exists: check the path, or create the folder.", ExitCodes.Refused),
        UnauthorizedAccessException => new($"{e.Message} Expected a path that this user may use: check its rights, or choose another.", ExitCodes.Refused),
        OperationCanceledException when cancelled => new("stopped; nothing is half-written. The same command starts again.", ExitCodes.Cancelled),
        OutOfMemoryException => new("got no more memory from the system. Free some, use fewer --threads, or build more --shards.", ExitCodes.Failed),
        IOException => new($"{e.Message.TrimEnd('.')}. Mend the cause, and start the same command again.", ExitCodes.Failed),
        _ => new(Unexpected(e), ExitCodes.Failed),
    };

    private static string Words(Problem problem) =>
        $"{problem.What}: got {problem.Got}, expected {problem.Expected}. {problem.Mend} ({problem.Code})";

    private static string Unexpected(Exception e) => Environment.GetEnvironmentVariable(TraceVariable) is { Length: > 0 }
        ? $"unexpected failure: {e}"
        : $"unexpected failure, a defect of Signpost: {e.GetType().Name}: {e.Message} Please report it, with what {TraceVariable}=1 adds to this.";
}
