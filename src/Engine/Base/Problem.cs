namespace Signpost.Engine.Base;

/// <summary>Stable codes of refused input, in the order in which they are looked for. Numbers are never reused.</summary>
public enum ProblemCode
{
    /// <summary>A setting or argument is malformed or out of its range.</summary>
    InvalidArgument = 1,

    /// <summary>A vector has another number of dimensions than the collection.</summary>
    WrongDimension = 2,

    /// <summary>A component is NaN or infinite, or does not fit the collection's element type.</summary>
    InvalidComponent = 3,

    /// <summary>A vector without a direction, of length zero or nearly so, under the cosine metric.</summary>
    ZeroVector = 4,

    /// <summary>The named collection, file or shard does not exist.</summary>
    NotFound = 5,

    /// <summary>The target exists already and would be overwritten.</summary>
    AlreadyExists = 6,

    /// <summary>What was asked for does not fit into the memory that is there.</summary>
    NotEnoughMemory = 7,

    /// <summary>The collection lacks what the request needs, for example codes.</summary>
    NotSupported = 8,

    /// <summary>Too many requests wait already.</summary>
    Busy = 9,

    /// <summary>Not every shard answered, and the request requires that all do.</summary>
    IncompleteCoverage = 10,

    /// <summary>Codes of another training are in use by now; the same request with the newest shard map is answered.</summary>
    StaleVersion = 11,

    /// <summary>The caller speaks another version of the protocol.</summary>
    UnsupportedVersion = 12,

    /// <summary>What was asked for does not fit into the disk space that it may take.</summary>
    NotEnoughSpace = 13,
}

/// <summary>Why input was refused: what was wrong, what was got, what was expected, how to mend it. Nothing was changed.</summary>
public sealed record Problem(ProblemCode Code, string What, string Got, string Expected, string Mend)
{
    /// <summary>One problem that names all of <paramref name="problems"/>, under the code of the first; null where there are none.</summary>
    public static Problem? Join(IReadOnlyList<Problem> problems) => problems.Count switch
    {
        0 => null,
        1 => problems[0],
        _ => new Problem(
            problems[0].Code,
            string.Join("; ", problems.Select(p => p.What)),
            string.Join("; ", problems.Select(p => p.Got)),
            string.Join("; ", problems.Select(p => p.Expected)),
            string.Join(" ", problems.Select(p => p.Mend))),
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Code}: {What}: got {Got}, expected {Expected}. {Mend}";
}

/// <summary>A value, or the reason why there is none.</summary>
public readonly record struct Outcome<T>(T? Value, Problem? Problem)
{
    /// <summary>True where <see cref="Value"/> may be used.</summary>
    public bool Ok => Problem is null;

    /// <summary>The value, or <see cref="ProblemException"/> where there is none.</summary>
    public T OrThrow() => Problem is null ? Value! : throw new ProblemException(Problem);

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Problem problem) => new(default, problem);
}

/// <summary>A <see cref="Problem"/> that travels as an exception through code that cannot go on.</summary>
public sealed class ProblemException(Problem problem) : Exception(problem.ToString())
{
    /// <summary>What was refused.</summary>
    public Problem Problem { get; } = problem;
}

/// <summary>A file is cut, flipped or foreign: where, what was there, what should have been.</summary>
public sealed class BadFileException(string path, long offset, string got, string expected)
    : IOException($"{path}: at byte {offset}: got {got}, expected {expected}")
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>Byte offset of the first thing that is wrong.</summary>
    public long Offset { get; } = offset;

    /// <summary>What was found there.</summary>
    public string Got { get; } = got;

    /// <summary>What a valid file has there.</summary>
    public string Expected { get; } = expected;
}
