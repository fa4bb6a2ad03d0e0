namespace Signpost.Client;

/// <summary>Why there is no answer, in words that can be acted on.</summary>
public sealed class SignpostException : Exception
{
    internal SignpostException(SignpostErrorKind kind, string code, string detail, string got, string expected, string mend, Exception? inner = null)
        : base($"{code}: {detail} {mend}", inner)
    {
        Kind = kind;
        Code = code;
        Got = got;
        Expected = expected;
        Mend = mend;
    }

    /// <summary>What kind of failure it is: what a program decides by.</summary>
    public SignpostErrorKind Kind { get; }

    /// <summary>Stable code: that of the silo's refusal (docs/http.md), or "Unavailable", "Timeout", "UnsupportedVersion", "BadAnswer".</summary>
    public string Code { get; }

    /// <summary>What was found.</summary>
    public string Got { get; }

    /// <summary>What should have been.</summary>
    public string Expected { get; }

    /// <summary>How to mend it.</summary>
    public string Mend { get; }

    /// <summary>Whether another silo, or the same a little later, may do better with the same request.</summary>
    internal bool MayRetry => Kind is SignpostErrorKind.Unavailable or SignpostErrorKind.Timeout or SignpostErrorKind.VersionMismatch;

    /// <summary>When the silo wants to be asked again; null where it did not say.</summary>
    internal TimeSpan? RetryAfter { get; init; }
}

/// <summary>Kinds of failure.</summary>
public enum SignpostErrorKind
{
    /// <summary>The request was understood and refused; it will be refused again until it is changed.</summary>
    Refused,

    /// <summary>No silo could be reached, or those that were could not answer now. Every retry was used.</summary>
    Unavailable,

    /// <summary>No silo answered in time.</summary>
    Timeout,

    /// <summary>Server and client speak different versions of the API; Got is the server's, Expected the client's.</summary>
    VersionMismatch,

    /// <summary>The server failed, or its answer could not be understood.</summary>
    Failed,
}
