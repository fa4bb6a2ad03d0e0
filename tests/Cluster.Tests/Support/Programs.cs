namespace Signpost.Cluster.Tests.Support;

/// <summary>Programs that tests start and that need not be there.</summary>
internal static class Programs
{
    private static readonly string[] Places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);

    /// <summary>Why a test that starts <paramref name="programs"/> is skipped; null where all are there.</summary>
    public static string? WhyNot(params string[] programs)
    {
        string[] missing = [.. programs.Where(name => !Places.Any(place => File.Exists(Path.Combine(place, name))))];
        return missing.Length == 0 ? null : $"needs {string.Join(", ", missing)}";
    }
}

/// <summary>A test that starts Redis.</summary>
internal sealed class RedisFactAttribute : FactAttribute
{
    public RedisFactAttribute() => Skip = Programs.WhyNot("redis-server");
}

/// <summary>The same for each of several data, such as <see cref="Runtimes"/>.</summary>
internal sealed class RedisTheoryAttribute : TheoryAttribute
{
    public RedisTheoryAttribute() => Skip = Programs.WhyNot("redis-server");
}

/// <summary>The runtimes of several silos that this build has.</summary>
public static class Runtimes
{
#if ORLEANS
    public static TheoryData<string> All => ["redis", "orleans"];
#else
    public static TheoryData<string> All => ["redis"];
#endif
}

/// <summary>A test of a contract; the runtime here is the one on Redis.</summary>
internal sealed class RuntimeFactAttribute : FactAttribute
{
    public RuntimeFactAttribute() => Skip = Programs.WhyNot("redis-server");
}
