using System.Security.Authentication;

namespace Signpost.Client.Wire;

/// <summary>Makes a <see cref="SignpostException"/> of everything that can go wrong between here and a silo.</summary>
internal static class Failures
{
    /// <summary>A refusal that a silo gave its reasons for.</summary>
    public static SignpostException Of(ProblemBody problem, int status, TimeSpan? retryAfter = null)
    {
        SignpostErrorKind kind = status switch
        {
            429 or 502 or 503 or 504 => SignpostErrorKind.Unavailable,
            >= 500 => SignpostErrorKind.Failed,
            _ => SignpostErrorKind.Refused,
        };
        return new SignpostException(kind, problem.Code, problem.Detail, problem.Got, problem.Expected, problem.Mend) { RetryAfter = retryAfter };
    }

    /// <summary>No connection, or one that broke.</summary>
    public static SignpostException Unreachable(Uri silo, Exception why)
    {
        string got = why.InnerException is AuthenticationException tls ? tls.Message : why.Message;
        return new SignpostException(
            SignpostErrorKind.Unavailable, "Unavailable", $"{silo} could not be asked: {got}", got, "a silo that answers",
            "See whether it runs and can be reached from here.", why);
    }

    /// <summary>A proxy answered in place of a silo.</summary>
    public static SignpostException BadGateway(Uri silo, int status) => new(
        SignpostErrorKind.Unavailable, "Unavailable", $"{silo} could not be asked: status {status} of what stands before it.", $"status {status}",
        "a silo that answers", "See whether the silo behind the proxy runs.");

    /// <summary>Silence.</summary>
    public static SignpostException Late(Uri silo, TimeSpan limit) => new(
        SignpostErrorKind.Timeout, "Timeout", $"{silo} did not answer in {limit.TotalSeconds:0.###} s.", $"no answer in {limit.TotalSeconds:0.###} s",
        "an answer", "See whether it is overloaded, or allow more time.");

    /// <summary>The server speaks another version of the API, or is no silo.</summary>
    /// <param name="silo">The server.</param>
    /// <param name="version">Its version; null where it tells none.</param>
    public static SignpostException OtherVersion(Uri silo, string? version) => new(
        SignpostErrorKind.VersionMismatch, "UnsupportedVersion",
        $"{silo} speaks version {version ?? "none"} of the API, this client version {Api.Version}.", version ?? "none", Api.Version,
        version is null ? "See whether this is the address of a silo." : "Use a client and a server of the same version of the API.");

    /// <summary>An answer that is none.</summary>
    public static SignpostException BadAnswer(Uri silo, string got, string expected, Exception? why = null) => new(
        SignpostErrorKind.Failed, "BadAnswer", $"The answer of {silo} could not be understood: got {got}, expected {expected}.", got, expected,
        "See the log of the silo, and report it.", why);

    /// <summary>What is told of a call whose every attempt failed: each of them, under the kind and the code of the last.</summary>
    public static SignpostException All(IReadOnlyList<(Silo Silo, SignpostException Why)> attempts)
    {
        SignpostException last = attempts[^1].Why;
        if (attempts.Count == 1)
        {
            return last;
        }

        string got = string.Join("; ", attempts.Select(attempt => $"{attempt.Silo.Address} {attempt.Why.Got}"));
        return new SignpostException(last.Kind, last.Code, $"{attempts.Count} attempts failed: {got}.", got, last.Expected, last.Mend, last);
    }
}
