namespace Signpost.Engine.Tests.Support;

/// <summary>A test of minutes: it runs under <c>./signpost test --long</c>. Give it the trait <c>Long</c> too.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongFactAttribute : FactAttribute
{
    /// <summary>Why long tests are skipped; null where they run.</summary>
    internal static readonly string? Reason =
        Environment.GetEnvironmentVariable("SIGNPOST_LONG") is null or "" ? "it takes minutes: ./signpost test --long runs it" : null;

    public LongFactAttribute()
    {
        Skip = Reason;
    }
}

/// <summary>As <see cref="LongFactAttribute"/>, for several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongTheoryAttribute : TheoryAttribute
{
    public LongTheoryAttribute()
    {
        Skip = LongFactAttribute.Reason;
    }
}
