namespace Signpost.Silo.Tests.Support;

/// <summary>A test that runs shell lines; skipped where bash or curl is missing.</summary>
internal sealed class BashFactAttribute : FactAttribute
{
    public BashFactAttribute()
    {
        string[] places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string[] missing = [.. new[] { "bash", "curl", "od" }.Where(name => !places.Any(place => File.Exists(Path.Combine(place, name))))];
        if (missing.Length > 0)
        {
            Skip = $"needs {string.Join(", ", missing)}";
        }
    }
}
