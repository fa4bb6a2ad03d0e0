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

/// <summary>A test of a contract; the runtime here is the one on Redis.</summary>
internal sealed class RuntimeFactAttribute : FactAttribute
{
    public RuntimeFactAttribute() => Skip = Programs.WhyNot("redis-server");
}
