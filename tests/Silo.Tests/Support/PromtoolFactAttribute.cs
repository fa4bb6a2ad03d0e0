namespace Signpost.Silo.Tests.Support;

/// <summary>A test that asks Prometheus' own checker; skipped where it is missing.</summary>
internal sealed class PromtoolFactAttribute : FactAttribute
{
    public PromtoolFactAttribute()
    {
        string[] places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (!places.Any(place => File.Exists(Path.Combine(place, "promtool"))))
        {
            Skip = "needs promtool (Debian package prometheus)";
        }
    }
}
